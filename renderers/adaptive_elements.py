"""Adaptive Card elements on the base class of `adaptivecards`, which takes any keyword and forgets the misspelt ones.

Here a wrong keyword or type fails, and what the library lacks is added: actions, inputs and styles of version 1.5.
"""

from typing import Any, ClassVar

from adaptivecards.adaptivecard import AdaptiveCard
from adaptivecards.baseobject import BareObject, PropertyType
from adaptivecards.baseobject import Element as LooseElement
from adaptivecards.containers import Container as LooseContainer
from adaptivecards.containers import Fact as LooseFact
from adaptivecards.containers import FactSet as LooseFactSet
from adaptivecards.elements import RichTextBlock as LooseRichTextBlock
from adaptivecards.elements import TextBlock as LooseTextBlock
from adaptivecards.elements import TextRun as LooseTextRun

Json = dict[str, Any]


class Strict(BareObject):
    """Only properties that the element has, and only in their types."""

    _known: ClassVar[frozenset[str]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = (name for kind in cls.__mro__ for name, each in vars(kind).items() if isinstance(each, PropertyType))
        cls._known = frozenset(own)

    def __init__(self, **properties: Any) -> None:
        unknown = sorted(properties.keys() - self._known)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}")
        super().__init__(**{name: value for name, value in properties.items() if value is not None})


class TextBlock(Strict, LooseTextBlock):
    style = PropertyType(type=str)


class TextRun(Strict, LooseTextRun):
    select_action = PropertyType(type=BareObject, key_name="selectAction")


class RichTextBlock(Strict, LooseRichTextBlock):
    pass


class Container(Strict, LooseContainer):
    pass


class Fact(Strict, LooseFact):
    pass


class FactSet(Strict, LooseFactSet):
    pass


class Action(Strict, LooseElement):
    title = PropertyType(type=str)
    fallback = PropertyType(type=BareObject)


class Execute(Action):
    element_type = "Action.Execute"
    verb = PropertyType(type=str)
    payload = PropertyType(type=dict, key_name="data")


class Submit(Action):
    element_type = "Action.Submit"
    payload = PropertyType(type=dict, key_name="data")


class OpenUrl(Action):
    element_type = "Action.OpenUrl"
    url = PropertyType(type=str)


class ShowCard(Action):
    element_type = "Action.ShowCard"
    card = PropertyType(type=AdaptiveCard)


class Question(Strict, LooseElement):
    label = PropertyType(type=str)
    required = PropertyType(type=bool, key_name="isRequired")
    error = PropertyType(type=str, key_name="errorMessage")


class TextQuestion(Question):
    element_type = "Input.Text"
    multiline = PropertyType(type=bool, key_name="isMultiline")
    max_length = PropertyType(type=int, key_name="maxLength")


class ChoiceQuestion(Question):
    element_type = "Input.ChoiceSet"
    style = PropertyType(type=str)
    wrap = PropertyType(type=bool)
    choices = PropertyType(type=list)
    placeholder = PropertyType(type=str)


class Option(Strict, LooseFact):
    pass


def card(body: list[BareObject], actions: list[Action], version: str = "1.5") -> AdaptiveCard:
    """A card of a version that the library does not know yet."""
    made = AdaptiveCard()
    made.set_data("version", version)
    made.body = body
    if actions:
        made.actions = actions
    return made


def dump(element: Any) -> Any:
    """The whole tree as JSON: the library's own render() stops at the first level."""
    if isinstance(element, BareObject):
        return {key: dump(value) for key, value in element.render().items()}
    return [dump(each) for each in element] if isinstance(element, list) else element
