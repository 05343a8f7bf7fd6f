"""The console: pages on which people answer, decide about drafts, read reports, and see where an agent really stands.

The pages are rendered on the server and work without JavaScript. Whoever looks at one is signed in; each address says
what access it takes (`pages`), and there is no address besides those and the ones to sign in at.
"""

from ladder_graph.console.app import create_app
from ladder_graph.console.signin import sign_in_link

__all__ = ["create_app", "sign_in_link"]
