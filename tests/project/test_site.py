"""The site that is shipped to try the product with opens."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect


def test_the_root_leads_to_the_admin(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/admin/"


@pytest.mark.browser
def test_somebody_can_log_in(page: Page) -> None:
    User.objects.create_superuser("ada", password="lovelace")
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("lovelace")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()


@pytest.mark.django_db
def test_the_orm_works_after_a_browser_ran() -> None:
    assert User.objects.count() == 0
