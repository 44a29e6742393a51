"""The plain HTML pages of a team's server: sign-in, sign-out, joining, and messages. They need no script."""

from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from bam_engine.annotation.names import MAX_LENGTH as NAME_LENGTH
from bam_engine.team import MAX_LENGTH, MIN_LENGTH, Identity, Role, configured_provider
from bam_engine.team.join_requests import NOTE_LENGTH
from bam_engine.team.permissions import with_article
from web.engine import workspace_name
from web.routes.caching import NO_STORE

_FOLDER = Path(__file__).parent.parent / "shell"
_MAY = {
    Role.VIEWER: "look at images, results and reports",
    Role.ANNOTATOR: "look at everything, and label images",
    Role.REVIEWER: "label, define attributes, train, audit, decide disputes and export",
    Role.OWNER: "do everything, and decide who is in the team",
}


def sign_in_page(wanted: str, *, has_accounts: bool, name: str = "", problem: str = "", status: int = 200) -> Response:
    """Return the page with the name and the password; ``wanted`` is the address to go to after."""
    if not has_accounts:
        words = "Nobody has an account yet. Whoever runs the server makes the first: bam user add NAME --role owner"
        return message_page("There are no accounts", words)
    body = (
        f'<input type="hidden" name="next" value="{escape(wanted)}">'
        + _field("Name", "name", value=name, most=NAME_LENGTH, fill="username", focus=not name)
        + _field("Password", "password", kind="password", most=MAX_LENGTH, fill="current-password", focus=bool(name))
    )
    more = '<p class="more">No account? <a href="/join">Ask to join</a>. Forgotten the password? Ask an owner.</p>'
    above = _single_sign_on("Sign in with", next=wanted)
    return _form_page("Sign in", "", body, "Sign in", problem, status, more, above=above)


def sign_out_page(name: str) -> Response:
    """Return the page that asks whether to sign out: following a link signs nobody out."""
    lead = f"You are signed in as {escape(name)}. Answers that are stored stay stored."
    more = '<p class="more"><a href="/">Back to the app</a></p>'
    return _form_page("Sign out", lead, "", "Sign out", "", 200, more)


def invitation_page(role: Role, token: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
    """Return the page on which an invited person chooses a name and a password."""
    lead = f"You are invited as {with_article(role)}: you may {_MAY[role]}."
    above = _single_sign_on("Join with", invitation=token)
    return _form_page("Join", lead, _name_and_password(name), "Join", problem, status, above=above)


def ask_page(*, name: str = "", note: str = "", problem: str = "", status: int = 200) -> Response:
    """Return the page on which anybody asks to join."""
    body = _name_and_password(name) + _note(note)
    more = '<p class="more">You have an account? <a href="/sign-in">Sign in</a>.</p>'
    lead = "Choose a name and a password. An owner decides, and gives you a role."
    above = _single_sign_on("Ask with")
    return _form_page("Ask to join", lead, body, "Send the request", problem, status, more, above=above)


def newcomer_page(
    identity: Identity,
    provider: str,
    role: Role | None,
    *,
    name: str,
    note: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    """Return the page on which somebody whom a provider knows chooses a name; without a role, an owner decides."""
    who = f"At {escape(provider)}, you are {escape(identity.label)}. "
    if role is None:
        lead = f"{who}Choose the name under which your answers are stored. An owner decides, and gives you a role."
        title, action, body = "Ask to join", "Send the request", _note(note)
    else:
        lead = f"{who}Choose the name under which your answers are stored. You join as {with_article(role)}."
        title, action, body = "Join", "Join", ""
    body = _field("Name", "name", value=name, most=NAME_LENGTH, fill="nickname", focus=True) + body
    more = (
        '<p class="more">You have an account here? <a href="/sign-in">Sign in</a> with its password, and connect '
        f"{escape(provider)} on the page People.</p>"
    )
    return _form_page(title, lead, body, action, problem, status, more)


def connect_page(name: str, provider: str, *, problem: str = "", status: int = 200) -> Response:
    """Return the page on which somebody lets a provider sign them in from now on."""
    lead = f"From now on, {escape(provider)} signs you in as {escape(name)}, too. Your password goes on working."
    body = _field("Password", "password", kind="password", most=MAX_LENGTH, fill="current-password", focus=True)
    more = '<p class="more"><a href="/people">Back to the app</a></p>'
    return _form_page(f"Connect {provider}", lead, body, "Connect", problem, status, more)


def leaving_page(provider: str, address: str) -> Response:
    """Return a page that goes on to the provider: browsers do not let a form lead to another site."""
    way = f'<meta http-equiv="refresh" content="0; url={escape(address)}">'
    link = f'<p class="lead">If nothing happens, <a href="{escape(address)}">go on to {escape(provider)}</a>.</p>'
    return _page(f"On the way to {provider}", way + link, 200)


def message_page(title: str, words: str, status: int = 200) -> Response:
    """Return a page that says something and leads back."""
    return _page(title, f'<p class="lead">{escape(words)}</p><p class="more"><a href="/">To the app</a></p>', status)


def _name_and_password(name: str) -> str:
    hint = f"At least {MIN_LENGTH} characters; a few words that do not belong together are a good one."
    return (
        _field("Name", "name", value=name, most=NAME_LENGTH, fill="username", focus=not name)
        + _field("Password", "password", kind="password", most=MAX_LENGTH, fill="new-password", hint=hint)
        + _field("The same again", "again", kind="password", most=MAX_LENGTH, fill="new-password")
    )


def _note(note: str) -> str:
    return _field("A note to the owner (optional)", "note", value=note, most=NOTE_LENGTH, required=False)


def _single_sign_on(action: str, **query: str) -> str:
    """Return the way to the provider, above the form that does without; "" where there is none."""
    known = configured_provider()
    if known is None:
        return ""
    address = f"/sign-in/provider?{urlencode(query)}" if query else "/sign-in/provider"
    return f'<a class="button" href="{escape(address)}">{escape(f"{action} {known.name}")}</a><p class="or">or</p>'


def _field(
    label: str,
    name: str,
    *,
    most: int,
    kind: str = "text",
    value: str = "",
    fill: str = "off",
    hint: str = "",
    focus: bool = False,
    required: bool = True,
) -> str:
    flags = (" autofocus" if focus else "") + (" required" if required else "")
    described = f' aria-describedby="{name}-hint"' if hint else ""
    field = (
        f'<label for="{name}">{escape(label)}</label><input id="{name}" name="{name}" type="{kind}" '
        f'value="{escape(value[:most])}" maxlength="{most}" autocomplete="{fill}"{described}{flags}>'
    )
    return field + (f'<p class="hint" id="{name}-hint">{escape(hint)}</p>' if hint else "")


def _form_page(
    title: str, lead: str, body: str, action: str, problem: str, status: int, more: str = "", *, above: str = ""
) -> Response:
    lead = f'<p class="lead">{lead}</p>' if lead else ""
    wrong = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    form = f'<form method="post">{body}<button type="submit">{escape(action)}</button></form>'
    return _page(title, lead + wrong + above + form + more, status)


def _page(title: str, content: str, status: int) -> Response:
    page = _template().replace("{{title}}", escape(title)).replace("{{workspace}}", escape(workspace_name()))
    return HTMLResponse(page.replace("{{style}}", _style()).replace("{{content}}", content), status, NO_STORE)


@cache
def _template() -> str:
    return (_FOLDER / "door.html").read_text(encoding="utf-8")


@cache
def _style() -> str:
    return (_FOLDER / "door.css").read_text(encoding="utf-8")
