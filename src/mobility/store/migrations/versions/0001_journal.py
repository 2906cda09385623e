"""The journal, its closed periods, actions and the writer's lock.

Triggers refuse to change or remove what is in the books, whoever asks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("journal_entry", "journal_posting", "closed_period", "action")


def upgrade() -> None:
    """Make the tables and their triggers."""
    op.create_table(
        "journal_entry",
        sa.Column("region_id", sa.String(64), primary_key=True),
        sa.Column("entry_id", sa.String(256), primary_key=True),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("event_hash", sa.String(64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("entry_hash", sa.String(64), nullable=False),
        sa.Column("chain_hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("region_id", "period", "position", name="uq_journal_entry_position"),
    )
    op.create_table(
        "journal_posting",
        sa.Column("region_id", sa.String(64), primary_key=True),
        sa.Column("entry_id", sa.String(256), primary_key=True),
        sa.Column("line", sa.Integer(), primary_key=True),
        sa.Column("party", sa.String(128), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id", "entry_id"],
            ["journal_entry.region_id", "journal_entry.entry_id"],
            name="fk_journal_posting_entry",
        ),
    )
    op.create_index(
        "ix_journal_posting_party", "journal_posting", ["region_id", "party", "currency"]
    )
    op.create_table(
        "closed_period",
        sa.Column("region_id", sa.String(64), primary_key=True),
        sa.Column("period", sa.String(7), primary_key=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("closed_by", sa.String(128), nullable=False),
        sa.Column("closed_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "action",
        sa.Column("region_id", sa.String(64), primary_key=True),
        sa.Column("action_id", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.UniqueConstraint("region_id", "position", name="uq_action_position"),
    )
    op.create_table("writer", sa.Column("region_id", sa.String(64), primary_key=True))
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Remove the tables: only for a database without books."""
    for table in ("journal_posting", "journal_entry", "closed_period", "action", "writer"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
