"""The page that shows the API's description, in a real browser, against the description itself."""

import json

import pytest

from harness.aeroalpes import Api
from harness.browser import Browser
from harness.process import free_port


class Nowhere:
    """The page needs no database."""

    port = free_port()


@pytest.fixture(scope="module")
def api():
    running = Api(Nowhere, wait=False)
    yield running
    assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def browser():
    running = Browser()
    yield running
    running.stop()


def test_the_page_shows_every_operation_and_schema_and_asks_nobody_else(api, browser):
    browser.open(f"http://127.0.0.1:{api.port}/docs")
    browser.wait_for("details summary code")
    specification = api.call("GET", "/spec").json
    operations = [f"{method.upper()} {path}" for path, methods in specification["paths"].items() for method in methods]
    shown = browser.driver.execute_script(
        "return [...document.querySelectorAll('summary .method')].map((one) => one.textContent + ' ' + one.nextSibling.textContent)")
    assert sorted(shown) == sorted(operations)
    assert {text for text in browser.texts("details[id] summary > code:first-child")} == set(specification["components"]["schemas"])
    # The empty browser's own first page is not ours.
    asked = [url for url in browser.requests() if not url.startswith(("chrome:", "data:"))]
    assert set(asked) - {f"http://127.0.0.1:{api.port}/favicon.ico"} == {f"http://127.0.0.1:{api.port}/{name}" for name in ("docs", "spec")}
    assert [text for text in browser.complaints() if "favicon" not in text] == []


def test_a_body_is_shown_with_an_example_that_leads_to_its_schema(api, browser):
    browser.open(f"http://127.0.0.1:{api.port}/docs")
    browser.wait_for("details summary code")
    booking = next(one for one in browser.all("details") if one.text.startswith("POST") and one.text.endswith("Hace una reserva."))
    booking.click()
    example = next(text for text in browser.texts("details[open] pre"))
    assert '"codigo": "BOG"' in example and '"fecha_salida": "2022-11-22T13:10:00Z"' in example
    assert "Idempotency-Key" in booking.text
    # The example is a good booking: what it lacks here is the database.
    assert api.call("POST", "/vuelos/reserva", json.loads(example)).status == 503
    link = next(one for one in browser.all("details[open] a") if one.text == "ReservaNueva")
    link.click()
    browser.wait_for("#schema-ReservaNueva[open] td")
    assert "itinerarios" in browser.texts("#schema-ReservaNueva td code")
