"""People: who is in the team and what each may do, invitations and requests; and everybody's own password."""

import html
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import streamlit as st

from bam_engine.team import (
    MAX_LENGTH,
    Account,
    Activity,
    JoinRequest,
    Role,
    configured_provider,
    recent_activity,
    role_of,
)
from bam_engine.team.invitations import DAYS, MAX_DAYS
from web import people, ui
from web.engine import workspace

LOGGED = 200  # entries of the log that are shown
_LINK, _TOLD = "people-link", "people-told"
ROLES = {
    Role.VIEWER: "looks at images, results and reports",
    Role.ANNOTATOR: "also labels images",
    Role.REVIEWER: "also defines attributes, trains, chooses thresholds, audits, decides disputes and exports",
    Role.OWNER: "also adds and removes images, chooses encoders, writes backups and decides who is in the team",
}

team = workspace().team


def changed(words: str) -> None:
    """Have every session asked for again, and tell what was done on the next run."""
    people.forget()
    st.session_state[_TOLD] = words
    st.rerun()


def day(moment: str) -> str:
    """Return the day and the time of a stored moment, in UTC."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"


def own(account: Account) -> None:
    """Draw what everybody has: their role, their password, and the way out everywhere."""
    st.subheader("You", anchor=False)
    st.markdown(f"**{ui.plain(account.name)}**, {account.role}. Your answers are stored under this name.")
    has_password = team.accounts.has_password(account)
    single_sign_on(account, has_password)
    if has_password:
        password_form(account)
    browsers = team.sessions.count(account)
    where = "this browser alone" if browsers == 1 else f"{browsers:,} browsers"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"You are signed in to {where}.", width="content")
        if st.button("Sign out everywhere", icon=":material/logout:"):
            with people.on_own_account():
                team.sessions.end_all(account)
            people.forget()
            st.rerun()


def single_sign_on(account: Account, has_password: bool) -> None:
    """Draw as whom the provider signs somebody in, and the way to change that."""
    if (provider := configured_provider()) is None:
        return
    known = [one for one in team.identities.of(account) if one.issuer == provider.issuer]
    name = ui.plain(provider.name)
    with st.container(horizontal=True, vertical_alignment="center"):
        if not known:
            st.html(
                f'<a href="/sign-in/connect" target="_self">Sign in with {html.escape(provider.name)} from now on</a>'
            )
        else:
            labels = ui.plain(", ".join(one.label for one in known))
            st.caption(f"At {name}, you are {labels}: it signs you in.", width="content")
            if has_password and st.button("Disconnect", icon=":material/link_off:"):
                with people.on_own_account():
                    team.identities.disconnect(account)
                people.forget()
                st.rerun()


def password_form(account: Account) -> None:
    """Draw the form for another password of one's own."""
    with st.expander("Change your password"), st.form("password", border=False, clear_on_submit=True):
        before = st.text_input("Password", type="password", max_chars=MAX_LENGTH, autocomplete="current-password")
        new = st.text_input("New password", type="password", max_chars=MAX_LENGTH, autocomplete="new-password")
        again = st.text_input("The same again", type="password", max_chars=MAX_LENGTH, autocomplete="new-password")
        st.caption("You are then signed out everywhere, and sign in with the new one.")
        if st.form_submit_button("Change the password", icon=":material/key:"):
            with ui.guard():
                change_password(account, before, new, again)


def change_password(account: Account, before: str, new: str, again: str) -> None:
    """Change one's own password, by the one before."""
    if not team.sessions.confirms(account, before):
        st.error("The password that you have is another one. Nothing has changed.", icon=":material/error:")
        return
    if new != again:
        st.error("The two new passwords are not the same. Nothing has changed.", icon=":material/error:")
    else:
        with people.on_own_account():
            team.accounts.set_password(account.id, new)
        people.forget()
        st.rerun()


def everyone(account: Account) -> None:
    """Draw the accounts, each with its role and what can be done about it."""
    accounts = team.accounts.all()
    st.subheader("The team", anchor=False)
    for one in accounts:
        you = " · you" if one.id == account.id else ""
        with st.expander(f"**{ui.plain(one.name)}** · {one.role}{you}"), ui.guard():
            role_choice(one)
            if st.button("Remove the account", key=f"remove-{one.id}", icon=":material/person_remove:"):
                team.accounts.remove(one.id)
                changed(f"{one.name} cannot sign in any more. Their answers are kept.")
            if known := team.identities.of(one):
                st.caption(f"Signed in by single sign-on as {ui.plain(', '.join(each.label for each in known))}.")
            st.caption("Whoever has forgotten their password gets another one by `bam user reset NAME`.")


def choose_role(
    key: str,
    role: Role = Role.ANNOTATOR,
    *,
    words: Callable[[str], str] = str,
    width: int | Literal["stretch"] = "stretch",
) -> Role:
    """Draw the choice of a role, ``role`` at first; return the chosen one."""
    names = [str(each) for each in Role]
    chosen = st.selectbox("Role", names, index=names.index(str(role)), format_func=words, key=key, width=width)
    return role_of(str(chosen))


def role_choice(one: Account) -> None:
    """Draw the role of an account, to be changed."""
    chosen = choose_role(f"role-{one.id}-{one.role}", one.role, words=lambda name: f"{name}: {ROLES[role_of(name)]}")
    if st.button("Change the role", key=f"change-{one.id}", disabled=chosen == one.role):
        team.accounts.set_role(one.id, chosen)
        changed(f"{one.name} is now {chosen}, and signs in again.")


def requests() -> None:
    """Draw the requests to join."""
    waiting = team.requests.all()
    if not waiting:
        return
    st.subheader("Requests to join", anchor=False)
    for one in waiting:
        with st.container(border=True), ui.guard():
            request(one)


def request(one: JoinRequest) -> None:
    """Draw a request, to be approved with a role, or declined."""
    note = f" · {ui.plain(one.note)}" if one.note else ""
    st.markdown(f"**{ui.plain(one.name)}** · {day(one.made_at)}{note}")
    if one.identity is not None:
        st.caption(f"They come by single sign-on, as {ui.plain(one.identity.label)}.")
    if one.known:
        st.warning(
            "An annotator has this name. Approve only whom you know to be that person: the answers are then theirs.",
            icon=":material/warning:",
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = choose_role(f"request-role-{one.id}", width=180)
        if st.button("Approve", type="primary", key=f"approve-{one.id}", icon=":material/check:"):
            account = team.requests.approve(one.id, role)
            changed(f"{account.name} can sign in as {account.role}.")
        if st.button("Decline", key=f"decline-{one.id}", icon=":material/close:"):
            team.requests.decline(one.id)
            changed(f"The request of {one.name} is declined and forgotten.")


def invitations(account: Account) -> None:
    """Draw the form that makes an invitation, the link of the last one, and those that hold."""
    st.subheader("Invitations", anchor=False)
    with st.form("invite", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        role = choose_role("invite-role", width=180)
        days = st.number_input("Days", 1, MAX_DAYS, DAYS, key="invite-days", width=120)
        if st.form_submit_button("Make a link", icon=":material/link:"):
            st.session_state[_LINK] = team.invitations.invite(role, by=account, days=days)
    token = st.session_state.get(_LINK)
    if token is not None:
        st.caption("Send this to one person. It is shown only now, and makes one account.")
        st.code(f"{address()}/join/{token}", language=None, wrap_lines=True)
    for one in (each for each in team.invitations.all() if each.open):
        with st.container(horizontal=True, vertical_alignment="center"):
            by = f" · made by {ui.plain(one.invited_by)}" if one.invited_by else ""
            st.markdown(f"{str(one.role).capitalize()}{by} · holds until {day(one.expires_at)}", width="stretch")
            if st.button("Revoke", key=f"revoke-{one.id}", icon=":material/link_off:"):
                team.invitations.revoke(one.id)
                st.session_state.pop(_LINK, None)
                changed("The invitation is revoked.")


def address() -> str:
    """Return the address under which the browser sees this server."""
    scheme = "https" if people.encrypted() else "http"
    return f"{scheme}://{st.context.headers.get('host', 'localhost')}"


def log(entries: list[Activity]) -> None:
    """Draw the activity log."""
    if not entries:
        return
    st.subheader("Activity", anchor=False)
    st.caption(f"Who changed attributes, thresholds and roles, and who exported what: the last {LOGGED}.")
    lines = [
        {"when": day(one.made_at), "who": one.by or "command line", "what": one.action, "which": one.subject}
        for one in entries
    ]
    st.dataframe(lines, hide_index=True, width="stretch")


ui.head("People", "Who is in the team, and what each may do.")
account = people.person()
if account is None:
    st.info("This server is for one person: nobody signs in. `bam serve --team` starts one for a team.")
    st.stop()
if told := st.session_state.pop(_TOLD, None):
    st.success(ui.plain(told), icon=":material/check_circle:")
if people.may(Role.OWNER):
    requests()
    everyone(account)
    invitations(account)
own(account)
if people.may(Role.OWNER):
    log(recent_activity(workspace().engine, most=LOGGED))
