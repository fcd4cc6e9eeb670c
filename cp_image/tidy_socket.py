"""A TLS socket of the broker's link."""

import ssl


class TidySocket(ssl.SSLSocket):
    """Closes itself where no TLS comes about; paho would leave that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is called
        """See `ssl.SSLSocket`."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise
