"""What is written down of a signed page whose link nobody made, or whose request is gone."""

from bot.channels.contract import Click, Person
from tests.stories.world import World


async def test_the_audit_log_holds_no_token_of_a_link(world: World) -> None:
    answer = await world.product.dispatcher.answer(Click("a.b.c", "approve", Person("link", "a.b.c")))
    assert not answer.accepted
    assert (await world.audit())[-1] == ("click.refused", "link")
