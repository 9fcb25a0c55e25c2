"""What every blob store promises."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from faultmaven_contract_tests.harness import Contract, requires
from faultmaven_contract_tests.nasty import KEYS
from faultmaven_contract_tests.stalls import assert_lively
from faultmaven_core.ports.blobs import (
    BlobCapability,
    BlobExistsError,
    BlobInfo,
    BlobKey,
    BlobNotFoundError,
    BlobStore,
    BlobTooLargeError,
    DigestMismatchError,
)
from faultmaven_core.shared.errors import BackendError, ConflictError, InvalidInputError

MIB = 1 << 20
KEY = BlobKey("org/one")
SIZES = [1000, 20 * MIB]
"""What goes at once, and what goes in several requests where there are any."""


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """A source that gives these parts."""
    for part in parts:
        yield part


async def broken(*parts: bytes) -> AsyncIterator[bytes]:
    """A source that fails after these parts."""
    for part in parts:
        yield part
    raise ConnectionResetError


async def content(store: BlobStore, key: BlobKey = KEY, start: int = 0, length: int | None = None) -> bytes:
    """All that a range holds."""
    async with store.open(key, start=start, length=length) as reader:
        return b"".join([block async for block in reader])


async def keys(store: BlobStore, prefix: str = "", after: BlobKey | None = None) -> list[str]:
    """The keys of a listing."""
    return [info.key.text async for info in store.list(prefix, after=after)]


async def get(url: str) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of a plain HTTP GET."""

    def fetch() -> tuple[int, Mapping[str, str], bytes]:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc, timeout=20)
        with closing(connection):
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    return await asyncio.to_thread(fetch)


def pattern(size: int) -> bytes:
    """Bytes that show where a range was cut wrongly."""
    return (b"".join(b"%08d" % number for number in range(0, min(size, MIB), 8)) * (size // MIB + 1))[:size]


def megabytes(size: int, letter: bytes = b"x") -> list[bytes]:
    """So many bytes in chunks of 1 MiB."""
    return [letter * min(MIB, size - at) for at in range(0, size, MIB)]


class BlobWritingContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty store."""

    @pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB])
    async def test_what_was_put_is_read_back(self, subject: BlobStore, size: int) -> None:
        """Borders of blocks, and of what goes in several requests, lose nothing."""
        data = pattern(size)
        put = await subject.put(KEY, chunks(data))
        assert (put.size, put.sha256) == (size, hashlib.sha256(data).hexdigest())
        assert await content(subject) == data

    @pytest.mark.parametrize(
        ("size", "step"),
        [(5000, 1), (5000, 7), (300_000, 4096), (9 * MIB, 100_003), (9 * MIB, MIB), (20 * MIB, 20 * MIB)],
    )
    async def test_chunks_of_any_size_make_the_same_blob(self, subject: BlobStore, size: int, step: int) -> None:
        """Also empty ones in between."""
        data = pattern(size)
        parts: Iterable[bytes] = (data[at : at + step] for at in range(0, len(data), step))
        await subject.put(KEY, chunks(b"", *parts, b""))
        assert await content(subject) == data

    async def test_the_description_comes_back(self, subject: BlobStore) -> None:
        """Digest, size, type, time and attributes, those beyond ASCII percent-encoded by the caller or not."""
        before = datetime.now(UTC) - timedelta(seconds=5)
        attributes = {"name": "r%C3%A9sum%C3%A9.log", "who": "Zoë", "Case": " a=b&c\n\0", "empty": ""}
        put = await subject.put(KEY, chunks(b"abc", b"def"), content_type="text/plain", attributes=attributes)
        found = await subject.stat(KEY)
        assert found == put
        assert put.sha256 == hashlib.sha256(b"abcdef").hexdigest()
        assert (put.key, put.size, put.content_type) == (KEY, 6, "text/plain")
        assert dict(put.attributes) == attributes
        assert before < put.created_at < datetime.now(UTC) + timedelta(seconds=5)

    @pytest.mark.parametrize("size", SIZES)
    async def test_what_is_no_description_is_refused(self, subject: BlobStore, size: int) -> None:
        """Before the source is read: headers that break, characters that are none, and too much of them."""
        for content_type, attributes in [
            ("text/plain\r\nx: y", {}),
            ("", {}),
            ("text/plain", {"half": "\ud83d"}),
            ("text/plain", {"name": "x" * 2000}),
        ]:
            with pytest.raises(InvalidInputError):
                await subject.put(KEY, broken(), content_type=content_type, attributes=attributes)
        longest = {"name": "x" * 1745}
        await subject.put(KEY, chunks(b"x" * size), attributes=longest)
        found = await subject.stat(KEY)
        assert found is not None
        assert dict(found.attributes) == longest

    @pytest.mark.parametrize("size", SIZES)
    async def test_a_source_that_fails_leaves_nothing(self, subject: BlobStore, size: int) -> None:
        """Its own error comes through."""
        with pytest.raises(ConnectionResetError):
            await subject.put(KEY, broken(*megabytes(size), b"y"))
        assert await subject.stat(KEY) is None
        assert await keys(subject) == []

    @pytest.mark.parametrize("size", SIZES)
    async def test_a_put_that_is_cancelled_leaves_nothing(self, subject: BlobStore, size: int) -> None:
        """Readers never see part of an upload."""
        reached = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            for part in megabytes(size):
                yield part
            reached.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(subject.put(KEY, endless()))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await subject.stat(KEY) is None
        await subject.put(KEY, chunks(b"later"))
        assert await content(subject) == b"later"

    @pytest.mark.parametrize("size", SIZES)
    async def test_a_wrong_digest_leaves_nothing(self, subject: BlobStore, size: int) -> None:
        """What arrived is not what was sent."""
        data = pattern(size)
        with pytest.raises(DigestMismatchError):
            await subject.put(KEY, chunks(data), expected_sha256="0" * 64)
        assert await subject.stat(KEY) is None
        right = hashlib.sha256(data).hexdigest()
        await subject.put(KEY, chunks(data), expected_sha256=right)
        found = await subject.stat(KEY)
        assert found is not None
        assert found.sha256 == right

    @pytest.mark.parametrize("most", SIZES)
    async def test_too_much_is_refused_without_reading_on(self, subject: BlobStore, most: int) -> None:
        """A source that never ends must not fill the disk."""
        given = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal given
            while True:
                given += 1
                yield b"x" * (most // 10)

        with pytest.raises(BlobTooLargeError):
            await subject.put(KEY, endless(), max_size=most)
        assert given == 11
        assert await subject.stat(KEY) is None
        await subject.put(KEY, chunks(b"x" * most), max_size=most)

    @pytest.mark.parametrize("size", SIZES)
    async def test_create_on_a_key_in_use_is_refused(self, subject: BlobStore, size: int) -> None:
        """The old content stays."""
        await subject.put(KEY, chunks(b"old"))
        with pytest.raises(BlobExistsError):
            await subject.put(KEY, chunks(*megabytes(size)))
        assert await content(subject) == b"old"

    @requires(BlobCapability.CONDITIONAL_WRITE)
    @pytest.mark.parametrize("size", SIZES)
    async def test_of_two_creates_at_once_one_wins(self, subject: BlobStore, size: int) -> None:
        """Both have passed the first look when the first of them finishes.

        What goes in several requests finishes one right after the other: not every server judges two completions at the
        very same moment one by one.
        """
        both, over, started = asyncio.Event(), asyncio.Event(), 0

        async def together(data: bytes) -> AsyncIterator[bytes]:
            nonlocal started
            yield data * (size - 1)
            started += 1
            if started == 2:
                both.set()
            await both.wait()
            if data == b"2" and size == max(SIZES):
                await over.wait()
            yield data

        async def first() -> BlobInfo:
            try:
                return await subject.put(KEY, together(b"1"))
            finally:
                over.set()

        results = await asyncio.gather(first(), subject.put(KEY, together(b"2")), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["BlobExistsError", "BlobInfo"]
        winner = b"2" if isinstance(results[0], BaseException) else b"1"
        assert await content(subject) == winner * size

    async def test_replace_changes_content_and_description_together(self, subject: BlobStore) -> None:
        """Also where nothing was before."""
        await subject.put(KEY, chunks(b"old"), mode="replace", attributes={"v": "1"})
        await subject.put(KEY, chunks(b"newer"), mode="replace", attributes={"v": "2"})
        found = await subject.stat(KEY)
        assert found is not None
        assert (found.size, dict(found.attributes)) == (5, {"v": "2"})
        assert await content(subject) == b"newer"

    async def test_a_reader_sees_the_old_or_the_new_never_both(self, subject: BlobStore) -> None:
        """While the blob is replaced again and again, every reader gets one of its contents whole, or fails."""
        size, whole = 3 * MIB, 0
        await subject.put(KEY, chunks(b"0" * size))

        async def replace() -> None:
            for number in range(12):
                await subject.put(KEY, chunks(*megabytes(size, b"%d" % (number % 10))), mode="replace")

        replacing = asyncio.create_task(replace())
        async with asyncio.timeout(120):
            while not replacing.done() or not whole:
                await asyncio.sleep(0)
                try:
                    seen = await content(subject)
                except BackendError:
                    continue
                whole += 1
                assert seen == seen[:1] * size
        await replacing

    async def test_delete_of_absent_and_of_many_keys(self, subject: BlobStore) -> None:
        """Absence is never an error on delete, and none at all sends nothing."""
        many = [BlobKey(f"org/many/{number}") for number in range(1001)]
        for key in many[:5] + many[-5:]:
            await subject.put(key, chunks(b"x"))
        await subject.delete([])
        await subject.delete(many)
        await subject.delete(many)
        assert await keys(subject) == []

    @pytest.mark.parametrize("text", KEYS)
    async def test_hostile_keys_are_refused(self, subject: BlobStore, text: str) -> None:
        """By the key itself, so no backend ever sees one."""
        with pytest.raises(InvalidInputError):
            await subject.put(BlobKey(text), chunks(b"x"))

    async def test_a_closed_store_refuses(self, subject: BlobStore) -> None:
        """With an error that says so; closing twice is no error."""
        await subject.ping()
        await subject.aclose()
        await subject.aclose()
        with pytest.raises(ConflictError):
            await subject.stat(KEY)

    async def test_the_event_loop_stays_free(self, subject: BlobStore) -> None:
        """No single step blocks the others for long, however large the blob, and the one that was there before."""
        fresh = (BlobKey(f"org/try/{number}") for number in itertools.count())

        async def put() -> None:
            await subject.put(next(fresh), chunks(*[b"x" * MIB] * 30))

        async def replace() -> None:
            await subject.put(KEY, chunks(*[b"x" * MIB] * 30), mode="replace")

        # A tenth of a second is the promise; the rest is for machines that are busy with other tests.
        await assert_lively(put, 0.5)
        await replace()
        await assert_lively(replace, 0.5)


class BlobReadingContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty store."""

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [
            (2, 3, b"234"),
            (7, None, b"789"),
            (7, 100, b"789"),
            (10, None, b""),
            (99, 5, b""),
            (0, 0, b""),
            (0, None, b"0123456789"),
        ],
    )
    async def test_ranges(self, subject: BlobStore, start: int, length: int | None, expected: bytes) -> None:
        """Beyond the end there is nothing, and that is no error."""
        await subject.put(KEY, chunks(b"0123456789"))
        assert await content(subject, start=start, length=length) == expected

    async def test_ranges_of_an_empty_blob_are_empty(self, subject: BlobStore) -> None:
        """Where one well-known service answers with an error."""
        await subject.put(KEY, chunks())
        assert await content(subject, start=0, length=10) == b""
        assert await content(subject, start=5) == b""

    async def test_a_range_over_several_blocks(self, subject: BlobStore) -> None:
        """Cut at the right bytes on both ends."""
        data = pattern(4 * MIB)
        await subject.put(KEY, chunks(data))
        assert await content(subject, start=MIB - 3, length=2 * MIB + 5) == data[MIB - 3 : 3 * MIB + 2]

    @pytest.mark.parametrize(("start", "length"), [(-1, None), (0, -1)])
    async def test_negative_ranges_are_refused(self, subject: BlobStore, start: int, length: int | None) -> None:
        """Not taken from the end, as slices would."""
        await subject.put(KEY, chunks(b"abc"))
        with pytest.raises(InvalidInputError):
            await content(subject, start=start, length=length)

    async def test_a_missing_blob(self, subject: BlobStore) -> None:
        """Nothing to describe; opening fails before the first block."""
        assert await subject.stat(KEY) is None
        with pytest.raises(BlobNotFoundError):
            async with subject.open(KEY):
                pytest.fail("opened")

    async def test_an_open_reader_never_mixes(self, subject: BlobStore) -> None:
        """While the blob is replaced and deleted, it goes on with the old content or fails."""
        await subject.put(KEY, chunks(b"a" * 3 * MIB))
        async with subject.open(KEY) as reader:
            blocks = aiter(reader)
            seen = await anext(blocks)
            await subject.put(KEY, chunks(b"b" * 3 * MIB), mode="replace")
            await subject.delete([KEY])
            try:
                async for block in blocks:
                    seen += block
            except BackendError:
                return
        assert seen == b"a" * 3 * MIB

    async def test_leaving_early_releases_everything(self, subject: BlobStore) -> None:
        """Twenty times, which is more than any pool holds."""
        await subject.put(KEY, chunks(b"x" * 3 * MIB))
        for _ in range(20):
            async with subject.open(KEY) as reader:
                await anext(aiter(reader))
        assert len(await content(subject)) == 3 * MIB

    async def test_listing_is_ordered_by_the_bytes_of_the_keys(self, subject: BlobStore) -> None:
        """And not as folders are walked; a prefix is text, not a folder."""
        names = ["o/b-c", "o/b", "o/b/c", "o/B", "o/b_c", "o2/a", "o/a.b", "p"]
        for name in names:
            await subject.put(BlobKey(name), chunks(name.encode()))
        assert await keys(subject) == sorted(names)
        assert await keys(subject, "o/b") == sorted(name for name in names if name.startswith("o/b"))
        assert await keys(subject, "nothing") == []

    async def test_listing_tells_sizes_and_times(self, subject: BlobStore) -> None:
        """By which sweepers decide; nothing older than it is, nothing from the future."""
        now = datetime.now(UTC)
        await subject.put(KEY, chunks(b"12345"))
        (listed,) = [blob async for blob in subject.list("")]
        assert (listed.key, listed.size) == (KEY, 5)
        assert now - timedelta(seconds=5) < listed.created_at < now + timedelta(seconds=60)

    @pytest.mark.parametrize("count", [1050, pytest.param(2500, marks=pytest.mark.soak)])
    async def test_listing_goes_on_after_a_key(self, subject: BlobStore, count: int) -> None:
        """Also after one that is not there any more, and beyond what one answer holds."""
        names = [f"o/{number:04}" for number in range(count)]
        for start in range(0, count, 10):
            await asyncio.gather(*(subject.put(BlobKey(name), chunks(b"x")) for name in names[start : start + 10]))
        assert await keys(subject, "o/") == names
        assert await keys(subject, "o/", BlobKey("o/0010")) == names[11:]
        assert await keys(subject, "o/", BlobKey("o/0010x")) == names[11:]
        assert await keys(subject, "o/", BlobKey(names[-1])) == []

    @pytest.mark.parametrize("names", [("a", "a/b", "a/b/c", "a-b"), ("a-b", "a/b/c", "a/b", "a")], ids=["down", "up"])
    async def test_a_key_and_keys_below_it_fit_beside_each_other(
        self, subject: BlobStore, names: tuple[str, ...]
    ) -> None:
        """As they do not as files and folders, whichever comes first."""
        for name in names:
            await subject.put(BlobKey(name), chunks(name.encode()))
        assert [await content(subject, BlobKey(name)) for name in names] == [name.encode() for name in names]
        assert await keys(subject) == sorted(names)
        await subject.delete([BlobKey("a"), BlobKey("a/b/c")])
        assert await keys(subject) == ["a-b", "a/b"]

    async def test_the_longest_keys_are_kept_apart(self, subject: BlobStore) -> None:
        """Though file names end at 255 bytes."""
        long = ["/".join(["k" * 127, "k" * 127, "k" * 127, "k" * 126 + end]) for end in "ab"]
        for name in long:
            await subject.put(BlobKey(name), chunks(name[-1].encode()))
        assert [await content(subject, BlobKey(name)) for name in long] == [b"a", b"b"]
        assert await keys(subject) == long

    @requires(BlobCapability.PRESIGN_GET)
    async def test_a_presigned_url_serves_the_blob_as_a_download(self, subject: BlobStore) -> None:
        """By a plain GET of anybody who has it, under any name; a URL that was changed serves nothing."""
        data = pattern(100_000)
        await subject.put(KEY, chunks(data), content_type="text/plain")
        url = await subject.presign_get(KEY, expires=timedelta(minutes=1), download_name='r\u00e9sum\u00e9 "1".log')
        status, headers, body = await get(url)
        assert (status, body) == (200, data)
        assert headers["content-disposition"] == "attachment; filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.log"
        assert (await get(url.replace("one", "two")))[0] == 403

    @requires(BlobCapability.PRESIGN_GET)
    async def test_a_presigned_url_ends(self, subject: BlobStore) -> None:
        """After its time, and with the blob. Also without a name it serves a download, never a page."""
        await subject.put(KEY, chunks(b"x"))
        short = await subject.presign_get(KEY, expires=timedelta(seconds=1))
        long = await subject.presign_get(KEY, expires=timedelta(days=7))
        status, headers, body = await get(long)
        assert (status, headers["content-disposition"], body) == (200, "attachment", b"x")
        # Servers compare whole seconds.
        await asyncio.sleep(2.1)
        assert (await get(short))[0] == 403
        await subject.delete([KEY])
        assert (await get(long))[0] == 404

    @requires(BlobCapability.PRESIGN_GET)
    @pytest.mark.parametrize("expires", [timedelta(0), timedelta(seconds=-1), timedelta(days=7, seconds=1)])
    async def test_a_url_cannot_live_shorter_or_longer_than_a_server_takes(
        self, subject: BlobStore, expires: timedelta
    ) -> None:
        """Found when it is made, not by whoever opens it."""
        try:
            await subject.presign_get(KEY, expires=expires)
        except InvalidInputError:
            return
        pytest.fail("given")
