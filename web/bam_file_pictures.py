"""Pictures of BAM's file from their URLs: the switch of an owner, which says whom the server then asks."""

import streamlit as st

from bam_engine.download import parse_rules
from bam_engine.formatting import count
from bam_engine.published import Arrays
from bam_engine.published.pictures import hosts_of, picture_settings, switch_off, switch_on
from bam_engine.team import Role
from web import people, ui
from web.engine import workspace

_LISTED = 5  # hosts


def switch(arrays: Arrays) -> None:
    """Draw the button that opens the switch; for owners alone."""
    if not people.may(Role.OWNER):
        return
    shown = picture_settings(workspace()) is not None
    if st.button("Pictures: on" if shown else "Pictures: off", icon=":material/image:", key="bamfile-pictures"):
        _open(arrays)


@st.dialog("Pictures from their URLs")
def _open(arrays: Arrays) -> None:
    with ui.guard():
        ws, settings = workspace(), picture_settings(workspace())
        with st.spinner("Counting the hosts …"):
            hosts = hosts_of(ws, arrays)
        st.markdown(
            "The pictures of images that are not in the collection can be fetched while somebody looks at them. This "
            f"server then asks {_listed(hosts)}."
        )
        st.caption(
            "A host learns the address of this server and which picture it asks for, not who looks. It is asked for "
            "two pictures at once at most, for nothing that its robots.txt or X-Robots-Tag forbids, and is left alone "
            "for a while where it does not answer or asks to wait. Pictures are kept small, in the cache, up to 2 GB."
        )
        with st.form("bamfile-pictures-form", border=False):
            contact = st.text_input(
                "How hosts reach you",
                "" if settings is None else settings.contact,
                placeholder="you@example.org",
                help="Sent with every request, so that whoever runs a server can write to you.",
            )
            rules = st.text_area(
                "Hosts to ask instead of others",
                "" if settings is None else "\n".join(f"{old}={new}" for old, new in settings.hosts.items()),
                placeholder="old.example=new.example",
                height=80,
                help="One a line, for hosts that are gone: the pictures of OLD=NEW are asked for from NEW.",
            )
            go = st.form_submit_button("Show pictures" if settings is None else "Save", type="primary")
        if go:
            people.check(Role.OWNER)
            switch_on(ws, contact=contact.strip(), hosts=parse_rules(rules.split()))
            st.rerun()
        if settings is not None and st.button("Show none", icon=":material/hide_image:"):
            people.check(Role.OWNER)
            switch_off(ws)
            st.rerun()


def _listed(hosts: tuple[tuple[str, int], ...]) -> str:
    """Return hosts in words, those with the most images by name."""
    if not hosts:
        return "nobody: the file has no URL of the web"
    named = [f"**{ui.plain(host)}** ({count(images, 'image')})" for host, images in hosts[:_LISTED]]
    others = len(hosts) - len(named)
    return ", ".join(named) + (f" and {count(others, 'other host')}" if others else "")
