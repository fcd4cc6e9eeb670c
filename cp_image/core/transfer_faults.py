"""Why a transfer failed, where the CSMS is told more than that it did."""

from enum import StrEnum


class TransferFault(StrEnum):
    """What is wrong."""

    BAD_MESSAGE = "no location, or an answer that is not of its protocol"
    DENIED = "the server lets nobody in, or not this user"
    NOT_SUPPORTED = "the server does not do it, or its protocol is not spoken"
