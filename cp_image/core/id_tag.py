"""Id tags: they are compared without regard to case (OCPP 1.6 §7.28, CiString20Type)."""


def folded(id_tag: str) -> str:
    """Return the form under which a tag is looked up."""
    return id_tag.lower()


def same_tag(one: str | None, other: str | None) -> bool:
    """Return whether both are there and name the same tag."""
    return one is not None and other is not None and folded(one) == folded(other)
