"""Who answers: the annotator's name of a session, which a browser keeps through reloads, tabs and days.

In:  the cookie of the browser, what is typed in the sidebar. Out: the name. On a server for one person, a name is what
somebody says it is, and two people at one computer use two names, each in a tab of their own. On a team's server,
whoever is signed in is the annotator.
"""

import html
from collections.abc import Mapping
from urllib.parse import unquote

import streamlit as st

from bam_engine.annotation.names import MAX_LENGTH, check_annotator_name
from bam_engine.errors import AnnotationError
from bam_engine.team import Account
from web import people
from web.modules import component

NOBODY = "me"
"""The name of whoever has not chosen one."""

COOKIE = "bam-annotator"  # set by web/components/identity.js
_NAME, _NAMED, _CHOSEN, _NEXT = "annotator", "annotator-named", "annotator-chosen", "annotator-next"

_component = component("bam_identity", "identity.js", [])


def annotator() -> str:
    """Return the name of this session."""
    account = people.person()
    if account is not None:
        return account.name
    return str(st.session_state.get(_NAME) or NOBODY).strip() or NOBODY


def answer_as(name: str) -> None:
    """Choose another name from the next run on: in this one, the sidebar is drawn already."""
    st.session_state[_NEXT] = name


def choose(name: str) -> None:
    """Choose another name before the sidebar is drawn."""
    st.session_state[_NAME] = name
    st.session_state[_NAMED] = st.session_state[_CHOSEN] = True


def field() -> None:
    """Draw the field with the name; on a team's server, who is signed in."""
    account = people.person()
    if account is not None:
        _signed_in(account)
        return
    if _NAME not in st.session_state:
        known = _from_cookie()
        st.session_state[_NAME] = known or NOBODY
        st.session_state[_NAMED] = bool(known)
    if _NEXT in st.session_state:
        choose(st.session_state.pop(_NEXT))
    st.session_state[_NAME] = st.session_state[_NAME]  # or Streamlit drops it where the field is not drawn
    st.text_input(
        "Annotator",
        key=_NAME,
        max_chars=MAX_LENGTH,
        on_change=_typed,
        help="The name under which your answers are stored. This browser remembers it. Two people on one computer use "
        "two names, each in a tab of their own.",
    )


def keep() -> None:
    """Have the browser keep the name. Drawn after the page, whose pictures do not wait for the module that does it."""
    if people.team_mode():
        return
    _component(
        key="identity",
        data={
            "name": annotator(),
            "named": bool(st.session_state.get(_NAMED)),
            "chosen": bool(st.session_state.get(_CHOSEN)),
        },
        on_name_change=_kept_name,
    )


def _signed_in(account: Account) -> None:
    st.html(
        f'<div class="bam-person"><b>{html.escape(account.name)}</b> · {account.role}<br>'
        '<a href="/sign-out" target="_self">Sign out</a></div>'
    )


def _typed() -> None:
    choose(annotator())


def _kept_name() -> None:
    """Answer under the name that the tab had before it was loaded again, or that was chosen in another one."""
    name = _checked((st.session_state.get("identity") or {}).get("name"))
    if name and not st.session_state.get(_CHOSEN):
        st.session_state[_NAME] = name
        st.session_state[_NAMED] = True


def cookies() -> Mapping[str, str]:
    """Return the cookies with which the browser began this session."""
    return st.context.cookies


def _from_cookie() -> str:
    kept = cookies().get(COOKIE)
    return _checked(unquote(kept)) if isinstance(kept, str) else ""  # Streamlit's tests hand in a mock


def _checked(name: object) -> str:
    """Return a name that a browser hands in as it would be stored; "" if it is none."""
    try:
        return check_annotator_name(str(name or ""))
    except AnnotationError:
        return ""
