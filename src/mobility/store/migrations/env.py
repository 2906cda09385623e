"""Alembic's entry: runs the migrations on the connection that `store.schema` hands over."""

from alembic import context

from mobility.store.models import Base


def run() -> None:
    """Run the migrations in the caller's transaction."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic loads this file
    run()
