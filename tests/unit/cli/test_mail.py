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


def test_what_is_known_of_a_failed_one_may_change() -> None:
    mail = Mail()
    mail.sent("1", "hi", None, ["anna"])
    marks: list[str] = []
    for certain in (True, False, False, True):
        letter = mail.undelivered("1", "anna", certain=certain)
        marks.append(letter.mark(str) if letter is not None else "no news")
    silent = "… anna has not confirmed it"
    assert marks == ["✗ not delivered to anna", silent, "no news", "✗ not delivered to anna"]
    assert mail.failures == 1
    assert mail.delivered("1", "anna") is not None
    assert mail.undelivered("1", "anna", certain=True) is None, "who has it keeps it"
    assert mail.failures == 0


def test_news_of_one_counts_while_others_are_missing() -> None:
    mail = Mail()
    mail.sent("1", "hi", None, ["anna", "bob", "carol"])
    assert mail.undelivered("1", "anna", certain=True) is None
    assert mail.undelivered("1", "bob", certain=True) is None
    assert mail.delivered("1", "anna") is None
    assert mail.undelivered("1", "bob", certain=False) is None
    letter = mail.delivered("1", "carol")
    assert letter is not None
    assert letter.mark(str) == "✓ anna, carol  … bob has not confirmed it"


def test_receipts_that_come_before_the_reply_count() -> None:
    mail = Mail()
    assert mail.delivered("1", "anna") is None
    letter = mail.sent("1", "hi", None, ["anna"])
    assert letter is not None
    assert letter.mark(str) == "✓"


def test_all_news_before_the_reply_counts() -> None:
    mail = Mail()
    mail.undelivered("1", "anna", certain=True)
    mail.undelivered("1", "anna", certain=False)
    mail.undelivered("1", "anna", certain=False)
    letter = mail.sent("1", "hi", None, ["anna"])
    assert letter is not None
    assert letter.mark(str) == "… anna has not confirmed it"


def test_strangers_receipts_and_doubles_change_nothing() -> None:
    mail = Mail()
    mail.sent("1", "hi", None, ["anna"])
    assert mail.delivered("1", "mallory") is None
    assert mail.delivered("1", "anna") is not None
    assert mail.delivered("1", "anna") is None


def test_what_travels_can_be_given_up() -> None:
    mail = Mail()
    mail.sent("1", "hi", None, ["anna", "bob"])
    assert [letter.text for letter in mail.take_all()] == ["hi"]
    assert (len(mail), mail.failures) == (0, 1)
    surely = mail.undelivered("1", "anna", certain=True)
    assert surely is not None
    assert surely.mark(str) == "✗ not delivered to anna  … bob has not confirmed it"
    assert mail.delivered("1", "anna") is not None
    assert mail.delivered("1", "bob") is not None
    assert (len(mail), mail.failures) == (0, 0)


def test_memory_is_bounded() -> None:
    mail = Mail()
    for number in range(3 * MAX_LETTERS):
        mail.sent(str(number), "hi", None, ["anna"])
        mail.delivered(f"unknown {number}", "anna")
    assert len(mail) == MAX_LETTERS
    assert len(mail._early) <= MAX_LETTERS
