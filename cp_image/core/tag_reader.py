"""The tag readers: what a presented tag, or a remote start, sets going."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cp_image.api.payloads import ConnectorState, StopReason, TagRefusal
from cp_image.api.value import replace
from cp_image.core.authorization import Authorizer
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector, found
from cp_image.core.effects import LogLevel
from cp_image.core.errors import NotNowError
from cp_image.core.id_tag import same_tag
from cp_image.core.messages import AuthorizationStatus, IdTagStatus, StartTransaction
from cp_image.core.outbox import Outbox
from cp_image.core.refusals import Refusals, verdict
from cp_image.core.reservations import Reservations
from cp_image.core.sessions import Sessions
from cp_image.core.transaction import Authorization, Check, Transaction

_TAKES_TAGS: Final = frozenset(
    {ConnectorState.AVAILABLE, ConnectorState.PREPARING, ConnectorState.RESERVED}
)


class TagReader:
    """Decides who may start and who may stop."""

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        sessions: Sessions,
        authorizer: Authorizer,
        reservations: Reservations,
        refusals: Refusals,
        configuration: Configuration,
        outbox: Outbox,
    ) -> None:
        self._connectors = connectors
        self._sessions = sessions
        self._authorizer = authorizer
        self._reservations = reservations
        self._refusals = refusals
        self._configuration = configuration
        self._outbox = outbox
        configuration.on_change(Key.CONNECTION_TIME_OUT, self._timeout_changed)

    def present(self, connector: Connector, id_tag: str, now: float) -> None:
        """A tag is held to the reader of a connector.

        Raises:
            NotNowError: the connector can do nothing with it; nothing has changed.
        """
        transaction = connector.transaction
        if transaction is not None and same_tag(transaction.id_tag, id_tag):
            # OCPP 1.6 §4.1: the tag that started needs no Authorize to stop.
            self._sessions.stop(connector, StopReason.LOCAL, now, id_tag=id_tag)
        elif connector.checking is not None:
            self._present_again(connector, connector.checking, id_tag)
        elif transaction is not None:
            if transaction.parent_id_tag is None:
                raise NotNowError(
                    f"{_name(connector)} is charging for tag {transaction.id_tag}: "
                    f"tag {id_tag} cannot stop it, the two have no parent tag in common"
                )
            self._consider(connector, id_tag, now)
        elif connector.authorization is not None:
            if not same_tag(connector.authorization.id_tag, id_tag):
                raise NotNowError(
                    f"{_name(connector)} waits for the cable of tag "
                    f"{connector.authorization.id_tag}: it takes no other tag before that"
                )
            self._sessions.withdraw(connector, now)
        elif connector.locked and connector.locked_for is not None:
            self._unlock(connector, connector.locked_for, id_tag, now)
        elif connector.state not in _TAKES_TAGS:
            raise NotNowError(
                f"{_name(connector)} is {connector.state}: it takes a tag when "
                f"{ConnectorState.AVAILABLE}, {ConnectorState.PREPARING} or "
                f"{ConnectorState.RESERVED}"
            )
        else:
            self._consider(connector, id_tag, now)

    def takes_remotely(self, connector: Connector, id_tag: str, now: float) -> bool:
        """Return whether a remote start with this tag can be accepted on the connector."""
        return (
            connector.state in _TAKES_TAGS
            and connector.authorization is None
            and connector.checking is None
            and not self._kept_from(connector, id_tag, now)
        )

    def preference(self, connector: Connector, id_tag: str, now: float) -> int:
        """Return which connector suits a remote start that names none: the least does best."""
        own = self._reservations.of(connector.connector_id)
        if own is not None:
            # It may be kept for the group of the tag, which is not known before the CSMS says so.
            return 0 if own.serves(id_tag, self._known_parent(id_tag, now)) else 3
        # Who has plugged in already waits for just this.
        return 1 if connector.state is ConnectorState.PREPARING else 2

    def start_remotely(self, connector: Connector, id_tag: str, now: float) -> None:
        """The CSMS wants a session, and `takes_remotely` says it can be had (OCPP 1.6 §5.11)."""
        # §9.1 AuthorizeRemoteTxRequests: whether the tag is authorized as a presented one is.
        if self._configuration.boolean(Key.AUTHORIZE_REMOTE_TX_REQUESTS):
            self._consider(connector, id_tag, now)
            return
        trusted = IdTagStatus(
            status=AuthorizationStatus.ACCEPTED, parent_id_tag=self._known_parent(id_tag, now)
        )
        if self._reservations.bars(connector, id_tag, trusted.parent_id_tag):
            self._consider(connector, id_tag, now)  # §5.13: its group has to be asked for
        else:
            self._decided(connector, id_tag, trusted, now)

    def answered(self, number: int, id_tag: str, status: IdTagStatus, now: float) -> None:
        """The CSMS has answered the Authorize with this number in the queue."""
        connector = self._asker(number)
        self._authorizer.learn(id_tag, status, now, connector=connector)
        if connector is None:
            return  # cancelled in the meantime
        connector.checking = None
        self._decided(connector, id_tag, status, now)

    def failed(self, number: int, id_tag: str, now: float) -> None:
        """The CSMS gave no answer to the Authorize with this number in the queue."""
        connector = self._asker(number)
        if connector is not None:
            connector.checking = None
            self._go_alone(connector, id_tag, now)

    def started(self, request: StartTransaction, status: IdTagStatus, now: float) -> None:
        """The CSMS says of a tag what it is worth, now that its transaction has started."""
        connector = found(self._connectors, request.connector_id)
        self._authorizer.learn(request.id_tag, status, now, connector=connector)

    def stopped(self, id_tag: str | None, status: IdTagStatus | None, now: float) -> None:
        """The CSMS says of the tag that stopped a transaction what it is worth, if anything."""
        if id_tag is not None and status is not None:
            self._authorizer.learn(id_tag, status, now, connector=None)

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
        if not same_tag(checking.id_tag, id_tag):
            raise NotNowError(
                f"{_name(connector)} is asking the CSMS about tag {checking.id_tag}: "
                f"it takes no other tag before the answer"
            )
        connector.checking = None
        self._say(connector, f"tag {id_tag} is presented again and so cancelled")

    def _unlock(self, connector: Connector, session: Transaction, id_tag: str, now: float) -> None:
        parent_id_tag = self._known_parent(id_tag, now)
        if not (same_tag(session.id_tag, id_tag) or same_tag(session.parent_id_tag, parent_id_tag)):
            raise NotNowError(
                f"{_name(connector)} keeps the cable of tag {session.id_tag} locked: "
                f"tag {id_tag} does not unlock it"
            )
        self._sessions.unlock(connector, now)

    def _consider(self, connector: Connector, id_tag: str, now: float) -> None:
        """Decide about a tag here, or ask the CSMS."""
        if connector.transaction is None and self._reservations.surely_bars(connector, id_tag):
            self._refuse(connector, id_tag, TagRefusal.RESERVED, now)
            return
        status = self._authorizer.verdict(id_tag, now)
        online = self._authorizer.online
        # What is known here may be too little: the CSMS may know of a group.
        if status is not None and not (online and not self._fits(connector, id_tag, status)):
            self._decided(connector, id_tag, status, now)
        elif online:
            connector.checking = Check(number=self._authorizer.ask(id_tag), id_tag=id_tag)
        else:
            self._go_alone(connector, id_tag, now)

    def _go_alone(self, connector: Connector, id_tag: str, now: float) -> None:
        """Decide about a tag without the CSMS (OCPP 1.6 §3.5.4)."""
        status = self._authorizer.without_csms(id_tag, now)
        if status is None:
            self._refuse(connector, id_tag, TagRefusal.CSMS_SILENT, now)
        else:
            self._decided(connector, id_tag, status, now)

    def _decided(self, connector: Connector, id_tag: str, status: IdTagStatus, now: float) -> None:
        if status.status is not AuthorizationStatus.ACCEPTED:
            self._refuse(connector, id_tag, verdict(status.status), now)
        elif connector.transaction is not None:
            # §4.10: the tag that started it, or one of the same group.
            if self._fits(connector, id_tag, status):
                self._sessions.stop(connector, StopReason.LOCAL, now, id_tag=id_tag)
            else:
                self._refuse(connector, id_tag, TagRefusal.OTHER_GROUP, now)
        elif connector.state not in _TAKES_TAGS:
            self._refuse(connector, id_tag, TagRefusal.TOO_LATE, now)
        elif not self._fits(connector, id_tag, status):
            self._refuse(connector, id_tag, TagRefusal.RESERVED, now)
        else:
            authorization = Authorization(
                id_tag=id_tag,
                parent_id_tag=status.parent_id_tag,
                accepted_at=now,
                expires_at=self._expiry(now),
            )
            self._sessions.authorize(connector, authorization, now)

    def _expiry(self, accepted_at: float) -> float | None:
        """Return until when a tag waits for its cable; None for ever (§9.1 ConnectionTimeOut)."""
        timeout_s = self._configuration.integer(Key.CONNECTION_TIME_OUT)
        return accepted_at + timeout_s if timeout_s > 0 else None

    def _timeout_changed(self, now: float) -> None:
        for connector in self._connectors:
            if connector.authorization is not None:
                connector.authorization = replace(
                    connector.authorization,
                    expires_at=self._expiry(connector.authorization.accepted_at),
                )
        self.expire(now)

    def _fits(self, connector: Connector, id_tag: str, status: IdTagStatus) -> bool:
        """Return whether an accepted tag is of the right group for what it is to do."""
        if status.status is not AuthorizationStatus.ACCEPTED:
            return True  # no group makes up for that
        if connector.transaction is not None:
            return same_tag(status.parent_id_tag, connector.transaction.parent_id_tag)
        return not self._reservations.bars(connector, id_tag, status.parent_id_tag)

    def _kept_from(self, connector: Connector, id_tag: str, now: float) -> bool:
        # §5.11, §5.13: Rejected where it is known here already that the group of the tag does not
        # help; what nobody knows the CSMS is asked about.
        parent_id_tag = self._known_parent(id_tag, now)
        if parent_id_tag is None:
            return self._reservations.surely_bars(connector, id_tag)
        return self._reservations.bars(connector, id_tag, parent_id_tag)

    def _known_parent(self, id_tag: str, now: float) -> str | None:
        known = self._authorizer.known(id_tag, now)
        return known.parent_id_tag if known else None

    def _asker(self, number: int) -> Connector | None:
        return next(
            (c for c in self._connectors if c.checking and c.checking.number == number), None
        )

    def _refuse(self, connector: Connector, id_tag: str, why: TagRefusal, now: float) -> None:
        text = f"tag {id_tag} is refused: {_REASONS.get(why, why.value)}"
        self._refusals.tell(connector.connector_id, id_tag, why, text, now)

    def _say(self, connector: Connector, text: str) -> None:
        self._outbox.log(LogLevel.WARNING, f"{_name(connector)}: {text}")


_REASONS: Final[Mapping[TagRefusal, str]] = MappingProxyType(
    {
        TagRefusal.CSMS_SILENT: "the CSMS could not be asked, and nothing here vouches for it",
        TagRefusal.RESERVED: "the connector is reserved for another",
        TagRefusal.OTHER_GROUP: "it cannot stop a transaction of another group",
        TagRefusal.TOO_LATE: "the connector takes no tag any more",
    }
)


def _name(connector: Connector) -> str:
    return f"connector {connector.connector_id}"
