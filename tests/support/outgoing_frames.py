"""What a station wants to say, as frames that the OCPP 1.6 schemas have allowed."""

from functools import lru_cache
from typing import Final

from cp_image.core.effects import Effect, RefuseCall, SendAnswer, SendCall
from cp_image.dialects.ocpp16.dialect import Ocpp16
from tests.unit.dialects.schemas import check_call, check_call_error, check_call_result

_UNIFORM_DIGITS: Final = str.maketrans("023456789", "1" * 9)


def frame_of(effect: Effect) -> str | None:
    """Return the frame of an effect, None where it has none; fails where it is not allowed."""
    dialect = Ocpp16()
    match effect:
        case SendCall(message_id=message_id, request=request):
            frame = dialect.encode(message_id, request)
            _check_shape("[2" + frame[2:].translate(_UNIFORM_DIGITS))
        case SendAnswer(message_id=message_id, answer=answer):
            frame = dialect.encode_answer(message_id, answer)
            check_call_result(frame, type(answer).__name__.removesuffix("Answer"))
        case RefuseCall(message_id=message_id):
            frame = dialect.encode_refusal(message_id)
            check_call_error(frame)
        case _:
            return None
    return frame


@lru_cache(maxsize=4096)
def _check_shape(frame: str) -> None:
    """Check a frame whose digits are all ones.

    A week of meter values differs in its digits only, and no schema of what a charge point asks
    looks at them: once for each shape is enough.
    """
    check_call(frame)
