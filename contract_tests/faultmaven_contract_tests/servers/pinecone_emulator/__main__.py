"""The emulator as a process: `python -m faultmaven_contract_tests.servers.pinecone_emulator PORT`."""

from __future__ import annotations

import asyncio
import os
import sys

from faultmaven_contract_tests.servers.pinecone_emulator import ADMIN_VARIABLE
from faultmaven_contract_tests.servers.pinecone_emulator.service import Service
from faultmaven_contract_tests.servers.pinecone_emulator.wire import serve

if __name__ == "__main__":
    asyncio.run(serve(Service(os.environ[ADMIN_VARIABLE]).answer, int(sys.argv[1])))
