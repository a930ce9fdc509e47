"""An index over the posts that belong to a thread"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_post_thread",
        "post",
        ["thread"],
        sqlite_where=sa.text("thread <> ''"),
        postgresql_where=sa.text("thread <> ''"),
    )


def downgrade() -> None:
    op.drop_index("ix_post_thread", "post")
