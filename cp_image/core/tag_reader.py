"""The tag readers: what a presented tag means, and what the CSMS says of it."""

from collections.abc import Sequence
from typing import Final

from cp_image.api.payloads import ConnectorState, StopReason
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector
from cp_image.core.effects import LogLevel
from cp_image.core.errors import NotNowError
from cp_image.core.messages import AuthorizationStatus, Authorize, IdTagStatus
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue
from cp_image.core.sessions import Sessions
from cp_image.core.transaction import Authorization, Check

_TAKES_TAGS: Final = frozenset({ConnectorState.AVAILABLE, ConnectorState.PREPARING})


class TagReader:
    """Decides who may start and who may stop."""

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        sessions: Sessions,
        configuration: Configuration,
        queue: RequestQueue,
        outbox: Outbox,
    ) -> None:
        self._connectors = connectors
        self._sessions = sessions
        self._configuration = configuration
        self._queue = queue
        self._outbox = outbox

    def present(self, connector: Connector, id_tag: str, now: float) -> None:
        """A tag is held to the reader of a connector.

        Raises:
            NotNowError: the connector can do nothing with it; nothing has changed.
        """
        transaction = connector.transaction
        if transaction is not None and transaction.id_tag == id_tag:
            self._sessions.stop(connector, StopReason.LOCAL, now, id_tag=id_tag)
        elif connector.checking is not None:
            self._present_again(connector, connector.checking, id_tag)
        elif transaction is not None:
            if transaction.parent_id_tag is None:
                raise NotNowError(
                    f"{_name(connector)} is charging for tag {transaction.id_tag}: "
                    f"tag {id_tag} cannot stop it, the two have no parent tag in common"
                )
            self._ask(connector, id_tag)
        elif connector.authorization is not None:
            if connector.authorization.id_tag != id_tag:
                raise NotNowError(
                    f"{_name(connector)} waits for the cable of tag "
                    f"{connector.authorization.id_tag}: it takes no other tag before that"
                )
            self._sessions.withdraw(connector, now)
        elif connector.state not in _TAKES_TAGS:
            raise NotNowError(
                f"{_name(connector)} is {connector.state}: it takes a tag when "
                f"{ConnectorState.AVAILABLE} or {ConnectorState.PREPARING}"
            )
        else:
            self._ask(connector, id_tag)

    def takes_remotely(self, connector: Connector, id_tag: str) -> bool:
        """Return whether a remote start with this tag can be accepted on the connector."""
        return (
            connector.state in _TAKES_TAGS
            and connector.authorization is None
            and connector.checking is None
        )

    def start_remotely(self, connector: Connector, id_tag: str, now: float) -> None:
        """The CSMS wants a session, and `takes_remotely` says it can be had (OCPP 1.6 §5.11)."""
        # §9.1 AuthorizeRemoteTxRequests: whether the tag is authorized as a presented one is.
        if self._configuration.boolean(Key.AUTHORIZE_REMOTE_TX_REQUESTS):
            self._ask(connector, id_tag)
        else:
            self._accept(connector, id_tag, None, now)

    def answered(self, number: int, id_tag: str, status: IdTagStatus, now: float) -> None:
        """The CSMS has answered the Authorize with this number in the queue."""
        connector = self._asker(number)
        if connector is None:
            return  # cancelled in the meantime
        connector.checking = None
        if status.status is not AuthorizationStatus.ACCEPTED:
            self._say(connector, f"tag {id_tag} is refused: {status.status}")
        elif connector.transaction is not None:
            # OCPP 1.6 §4.10: the tag that started it, or one of the same group.
            if status.parent_id_tag == connector.transaction.parent_id_tag is not None:
                self._sessions.stop(connector, StopReason.LOCAL, now, id_tag=id_tag)
            else:
                self._say(connector, f"tag {id_tag} cannot stop a transaction of another group")
        elif connector.state in _TAKES_TAGS:
            self._accept(connector, id_tag, status.parent_id_tag, now)
        else:
            self._say(connector, f"tag {id_tag} is accepted too late: it is {connector.state}")

    def failed(self, number: int, id_tag: str) -> None:
        """The CSMS gave no answer to the Authorize with this number in the queue."""
        connector = self._asker(number)
        if connector is not None:
            connector.checking = None
            self._say(connector, f"tag {id_tag} is refused: the CSMS could not be asked")

    def expire(self, now: float) -> None:
        """Withdraw the authorizations no cable came for (§9.1 ConnectionTimeOut)."""
        for connector in self._connectors:
            waiting = connector.authorization
            if waiting and waiting.expires_at is not None and now >= waiting.expires_at:
                self._sessions.withdraw(connector, now)
                self._say(connector, f"no cable for tag {waiting.id_tag} within ConnectionTimeOut")

    def next_deadline(self) -> float | None:
        """Return when the next authorization expires."""
        waiting = (c.authorization.expires_at for c in self._connectors if c.authorization)
        return min((at for at in waiting if at is not None), default=None)

    def _present_again(self, connector: Connector, checking: Check, id_tag: str) -> None:
        if checking.id_tag != id_tag:
            raise NotNowError(
                f"{_name(connector)} is asking the CSMS about tag {checking.id_tag}: "
                f"it takes no other tag before the answer"
            )
        connector.checking = None
        self._say(connector, f"tag {id_tag} is presented again and so cancelled")

    def _ask(self, connector: Connector, id_tag: str) -> None:
        if not self._queue.open:
            self._say(connector, f"tag {id_tag} is refused: the CSMS cannot be asked now")
            return
        number = self._queue.push(Authorize(id_tag=id_tag))
        connector.checking = Check(number=number, id_tag=id_tag)

    def _accept(
        self, connector: Connector, id_tag: str, parent_id_tag: str | None, now: float
    ) -> None:
        timeout_s = self._configuration.integer(Key.CONNECTION_TIME_OUT)
        authorization = Authorization(
            id_tag=id_tag,
            parent_id_tag=parent_id_tag,
            expires_at=now + timeout_s if timeout_s > 0 else None,
        )
        self._sessions.authorize(connector, authorization, now)

    def _asker(self, number: int) -> Connector | None:
        return next(
            (c for c in self._connectors if c.checking and c.checking.number == number), None
        )

    def _say(self, connector: Connector, text: str) -> None:
        self._outbox.log(LogLevel.WARNING, f"{_name(connector)}: {text}")


def _name(connector: Connector) -> str:
    return f"connector {connector.connector_id}"
