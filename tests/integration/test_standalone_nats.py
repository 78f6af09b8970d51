"""The embedded broker: MQTT 3.1.1 on loopback, its messages on disk."""

import queue
import socket
import threading
from typing import Self

import paho.mqtt.client as mqtt
import psutil
import pytest

from deploy.standalone.errors import StandaloneError
from deploy.standalone.nats import EmbeddedBroker

PATIENCE_S = 60


class Subscriber:
    """A paho client that keeps what it hears; leaving the block ends its thread and socket."""

    def __init__(self, port) -> None:
        self.heard = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self.client.on_message = lambda _client, _data, message: self.heard.put((message.topic, message.payload))
        self.client.on_connect = lambda client, *_: client.subscribe("stockgate/#", qos=1)
        self._subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect("127.0.0.1", port)

    def __enter__(self) -> Self:
        self.client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)
        return self

    def __exit__(self, *_) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_messages_pass_at_qos_1(tmp_path):
    with EmbeddedBroker(tmp_path) as broker, Subscriber(broker.port) as one:
        published = one.client.publish("stockgate/v1/hq/g/movement", b"x", qos=1, retain=True)
        published.wait_for_publish(PATIENCE_S)
        assert one.heard.get(timeout=PATIENCE_S) == ("stockgate/v1/hq/g/movement", b"x")


def test_retained_messages_are_there_again_after_a_restart_on_the_same_port(tmp_path):
    with EmbeddedBroker(tmp_path) as broker, Subscriber(broker.port) as one:
        port = broker.port
        told = one.client.publish("stockgate/v1/hq/g/watermark", b"mark", qos=1, retain=True)
        told.wait_for_publish(PATIENCE_S)
        assert told.is_published()
    with EmbeddedBroker(tmp_path, mqtt_port=port), Subscriber(port) as one:
        assert one.heard.get(timeout=PATIENCE_S) == ("stockgate/v1/hq/g/watermark", b"mark")


def test_it_listens_on_loopback_only(tmp_path):
    with EmbeddedBroker(tmp_path) as broker:
        listening = [c for c in psutil.Process(broker.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert {one.laddr.ip for one in listening} == {"127.0.0.1"}
        assert broker.url == f"mqtt://127.0.0.1:{broker.port}"


def test_a_taken_port_is_told_with_the_log(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StandaloneError, match=r"ended at start: .*address already in use.*nats\.log"):
            EmbeddedBroker(tmp_path, mqtt_port=port).start()


def test_it_has_no_address_before_it_runs(tmp_path):
    with pytest.raises(StandaloneError, match="no port before it is started"):
        _ = EmbeddedBroker(tmp_path).url


def test_nothing_runs_after_the_block(tmp_path):
    with EmbeddedBroker(tmp_path) as broker:
        pid = broker.pid
        assert broker.poll() is None
    assert not psutil.pid_exists(pid)
    broker.stop()
