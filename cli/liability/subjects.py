"""What can be owed, and how it is read and shown: the table of `fealty report liability`."""

from cli.liability import giftcards, points
from cli.liability.reading import Subject

SUBJECTS: tuple[Subject, ...] = (points.SUBJECT, giftcards.SUBJECT)
