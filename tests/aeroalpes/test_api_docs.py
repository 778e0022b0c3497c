"""The page that shows the API's description and tries it out, in a real browser, against the description itself."""

import json

import pytest

from harness.aeroalpes import Api
from harness.browser import Browser
from harness.process import free_port

BOOK = "#operations-vuelos-crear_reserva"


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


def asked(api, browser):
    """What the page asked for, by its path; the empty browser's own first page is not ours."""
    urls = [url for url in browser.requests() if not url.startswith(("chrome:", "data:"))]
    own = f"http://127.0.0.1:{api.port}/"
    assert [url for url in urls if not url.startswith(own)] == []
    return {url.removeprefix(own) for url in urls}


def test_the_page_shows_every_operation_and_schema_and_asks_nobody_else(api, browser):
    browser.open(f"http://127.0.0.1:{api.port}/docs")
    browser.wait_for(".models .json-schema-2020-12__title")
    specification = api.call("GET", "/spec").json
    operations = [f"{method.upper()} {path}" for path, methods in specification["paths"].items() for method in methods]
    shown = browser.driver.execute_script(
        "return [...document.querySelectorAll('.opblock-summary')].map((one) =>"
        " one.querySelector('.opblock-summary-method').textContent + ' ' + one.querySelector('.opblock-summary-path').dataset.path)")
    assert sorted(shown) == sorted(operations)
    assert set(browser.texts(".models .json-schema-2020-12__title")) == set(specification["components"]["schemas"])
    assert {"docs", "docs/", "docs/swagger-ui-bundle.js", "docs/swagger-initializer.js", "spec"} <= asked(api, browser)
    assert browser.complaints() == []


def test_the_example_of_a_body_is_tried_out_and_leads_to_its_schema(api, browser):
    browser.open(f"http://127.0.0.1:{api.port}/docs/")
    browser.wait_for(f"{BOOK} .opblock-summary-control").click()
    example = browser.wait_for(f"{BOOK} textarea").get_attribute("value")
    assert '"codigo": "BOG"' in example and '"fecha_salida": "2022-11-22T13:10:00Z"' in example
    assert any("Idempotency-Key" in text for text in browser.texts(f"{BOOK} .parameters td"))
    # The example is a good booking: what it lacks here is the database.
    assert api.call("POST", "/vuelos/reserva", json.loads(example)).status == 503
    browser.one(f"{BOOK} .execute").click()
    browser.wait_for(f"{BOOK} .live-responses-table .response-col_description")
    assert "503" in browser.texts(f"{BOOK} .live-responses-table .response-col_status")
    assert any("La base de datos no está disponible" in text for text in browser.texts(f"{BOOK} .live-responses-table pre"))
    assert "vuelos/reserva" in asked(api, browser)
    titles = browser.all(".models .json-schema-2020-12 > .json-schema-2020-12-head .json-schema-2020-12-accordion")
    next(one for one in titles if one.text == "ReservaNueva").click()
    browser.wait_for(".models .json-schema-2020-12-keyword--properties")
    assert "itinerarios" in browser.texts(".models .json-schema-2020-12-property .json-schema-2020-12__title")
