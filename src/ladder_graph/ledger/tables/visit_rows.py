"""The tables of who comes in: links to sign in with, who is signed in, and what was taken from Slack.

None holds what would let anybody in.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class LinkRow(SQLModel, table=True):
    """A link that signs one person in, once."""

    __tablename__ = "link"

    hash: str = Field(primary_key=True)
    """SHA-256 of the secret in the link."""
    person: str
    """Whom it signs in."""
    made_us: int = Field(sa_type=BigInteger)
    """When it was made."""
    made_by: str
    """Who made it, and how we know."""
    ends_us: int = Field(sa_type=BigInteger)
    """Until when it is good."""
    used_us: int | None = Field(default=None, sa_type=BigInteger)
    """When it was used."""


class VisitRow(SQLModel, table=True):
    """Somebody who is signed in."""

    __tablename__ = "visit"
    __table_args__ = (Index("visit_person", "person"),)

    hash: str = Field(primary_key=True)
    """SHA-256 of the secret in the cookie."""
    person: str
    """Who."""
    auth: str
    """How we know."""
    began_us: int = Field(sa_type=BigInteger)
    """Since when."""
    again_us: int = Field(sa_type=BigInteger)
    """When they last showed that it is them: at first, or with a second link later."""
    ends_us: int = Field(sa_type=BigInteger)
    """Until when at most."""
    ended_us: int | None = Field(default=None, sa_type=BigInteger)
    """When they signed out, or were sent away."""
    agent: str = ""
    """The browser, as it names itself."""


class SlackRequestRow(SQLModel, table=True):
    """A signed request that was taken, so that it isn't taken twice by whichever process."""

    __tablename__ = "slack_request"
    __table_args__ = (Index("slack_request_at", "at_us"),)

    mark: str = Field(primary_key=True)
    """SHA-256 of its signature."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""
