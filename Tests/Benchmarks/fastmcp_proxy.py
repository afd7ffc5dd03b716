"""A FastMCP proxy between Streamable HTTP and a server on stdio, as its documentation builds one.

fastmcp_proxy.py PORT COMMAND [ARGUMENT…]
"""

import sys

from fastmcp.client.transports import StdioTransport
from fastmcp.server import create_proxy

port, command, *arguments = sys.argv[1:]
proxy = create_proxy(StdioTransport(command, arguments))
proxy.run(transport="http", host="127.0.0.1", port=int(port), show_banner=False, log_level="WARNING")
