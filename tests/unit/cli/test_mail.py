"""Our own messages until their receipts have come."""

from __future__ import annotations

from mayfly_cli.mail import MAX_LETTERS, Mail


def test_a_letter_is_given_when_the_last_receipt_has_come() -> None:
    mail = Mail()
    assert mail.sent("1", "hi", None, ["anna", "bob"]) is None
    assert mail.delivered("1", "anna") is None
    assert len(mail) == 1
    letter = mail.delivered("1", "bob")
    assert letter is not None
    assert letter.mark(str.upper) == "✓ ANNA, BOB"
    assert (len(mail), mail.failures) == (0, 0)


def test_one_receiver_needs_no_name() -> None:
    mail = Mail()
    mail.sent("1", "hi", None, ["anna"])
    letter = mail.delivered("1", "anna")
    assert letter is not None
    assert letter.mark(str) == "✓"


def test_a_failure_is_named_and_may_be_made_good() -> None:
    mail = Mail()
    mail.sent("1", "hi", None, ["anna", "bob"])
    mail.delivered("1", "anna")
    letter = mail.undelivered("1", "bob", certain=True)
    assert letter is not None
    assert letter.mark(str) == "✓ anna  ✗ not delivered to bob"
    assert mail.failures == 1
    assert mail.undelivered("1", "bob", certain=True) is None  # said once
    late = mail.delivered("1", "bob")
    assert late is not None
    assert late.mark(str) == "✓ anna, bob"
    assert mail.failures == 0


def test_who_may_have_it_is_told_from_who_does_not() -> None:
    mail = Mail()
    mail.sent("1", "hi", None, ["anna", "bob", "carol", "dora"])
    mail.undelivered("1", "anna", certain=False)
    mail.undelivered("1", "bob", certain=True)
    mail.delivered("1", "carol")
    letter = mail.undelivered("1", "dora", certain=False)
    assert letter is not None
    assert letter.mark(str) == "✓ carol  ✗ not delivered to bob  … anna, dora have not confirmed it"
    assert mail.failures == 1
    late = mail.delivered("1", "anna")
    assert late is not None
    assert late.mark(str) == "✓ anna, carol  ✗ not delivered to bob  … dora has not confirmed it"
    assert mail.failures == 1


def test_receipts_that_come_before_the_reply_count() -> None:
    mail = Mail()
    assert mail.delivered("1", "anna") is None
    letter = mail.sent("1", "hi", None, ["anna"])
    assert letter is not None
    assert letter.mark(str) == "✓"


def test_strangers_receipts_and_doubles_change_nothing() -> None:
    mail = Mail()
    mail.sent("1", "hi", None, ["anna"])
    assert mail.delivered("1", "mallory") is None
    assert mail.delivered("1", "anna") is not None
    assert mail.delivered("1", "anna") is None


def test_what_travels_can_be_given_up() -> None:
    mail = Mail()
    mail.sent("1", "hi", "anna", ["anna"])
    assert [letter.text for letter in mail.take_all()] == ["hi"]
    assert (len(mail), mail.failures) == (0, 1)


def test_memory_is_bounded() -> None:
    mail = Mail()
    for number in range(3 * MAX_LETTERS):
        mail.sent(str(number), "hi", None, ["anna"])
        mail.delivered(f"unknown {number}", "anna")
    assert len(mail) == MAX_LETTERS
    assert len(mail._early) <= MAX_LETTERS
