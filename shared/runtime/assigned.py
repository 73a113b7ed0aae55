"""Reading partitions that are assigned and not shared: no group, so where to go on is for whoever reads to know."""

from collections.abc import Sequence
from typing import Any

from faststream.kafka import KafkaBroker
from faststream.kafka import TopicPartition as Wanted
from faststream.middlewares import AckPolicy

from shared.runtime.kafka import AIOKafkaConsumer, TopicPartition, renew
from shared.runtime.polling import POLL_FAILURES_MAX, Polled, Poller
from shared.settings import Settings


class AssignedReader:
    """Reads `places` once the broker has started; `options` are the subscriber's. Nothing is ever committed."""

    def __init__(
        self, broker: KafkaBroker, settings: Settings, places: Sequence[TopicPartition], **options: Any
    ) -> None:
        self._settings = settings
        self._subscriber = broker.subscriber(
            partitions=[Wanted(place.topic, place.partition) for place in places],
            ack_policy=AckPolicy.MANUAL,
            **options,
        )
        self.poller = Poller(settings, lambda: self.consumer)

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The consumer that FastStream made; there once the broker has started."""
        consumer: AIOKafkaConsumer | None = self._subscriber.consumer
        assert consumer is not None, "the broker has not been started"
        return consumer

    async def poll(self) -> Polled:
        """Poll once; a client that went on failing is replaced before.

        :raises Unavailable: the broker is away; nothing was skipped.
        """
        if self.poller.failures >= POLL_FAILURES_MAX:
            await renew(self._subscriber, self._settings.request_timeout_ms / 1000)
            self.poller.renewed()
        return await self.poller.poll(self._settings.poll_timeout_ms)
