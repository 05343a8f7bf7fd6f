"""The tools at hand: where they are found, what is said of them, and a first policy made from that.

What a tool, its server or LangChain's middleware says is a claim. It may make a first policy stricter; it never lets
a call run unasked.
"""
