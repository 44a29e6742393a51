"""The server: pages, routes and the engine in one process.

Started by ``make run``, ``streamlit run app.py`` or ``uvicorn app:app``.
"""

from pathlib import Path

import streamlit as st

from web.server import lifespan, middleware, routes

app = st.App(Path(__file__).with_name("web") / "frame.py", routes=routes(), middleware=middleware(), lifespan=lifespan)
