using System.Buffers.Binary;
using System.Text;
using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests;

/// <summary>Headers and events for tests.</summary>
internal static class Sample
{
    public static readonly Guid LogId = new("10000000-0000-0000-0000-000000000001");
    public static readonly Guid NodeId = new("20000000-0000-0000-0000-000000000001");

    public static SegmentHeader Header(Guid? id = null, long fileBytes = 64 * 1024, long basePosition = 0, Guid? logId = null, long epoch = 1) => new()
    {
        Identity = new SegmentIdentity(id ?? new Guid("30000000-0000-0000-0000-000000000001"), 0, epoch),
        LogId = logId ?? LogId,
        LogName = "orders",
        BasePosition = basePosition,
        FileBytes = fileBytes,
        Ensemble = [NodeId],
        ChainVersion = 1,
    };

    /// <summary>What stamps made here give every event.</summary>
    public const long Revision = 3;

    public static EventData Event(int number, int dataBytes = 100) => new($"order-{number % 7}", "placed", Payload(number, dataBytes))
    {
        Id = new Guid(number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
        Metadata = number % 3 == 0 ? Encoding.UTF8.GetBytes($"m{number}") : default,
        Occurred = number % 2 == 0 ? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(number) : null,
    };

    public static EventBatch Batch(int first, int count, int dataBytes = 100) =>
        EventBatch.Encode([.. Enumerable.Range(first, count).Select(n => Event(n, dataBytes))]);

    /// <summary>Has a frame carry the hash of what it encodes now, as a client that encoded just that would leave it.</summary>
    public static void Rehash(Span<byte> frame) =>
        BinaryPrimitives.WriteUInt64LittleEndian(frame[FrameLayout.EncodedHash..], Checksum.OfEncoded(frame));

    /// <summary>Gives a frame, whatever it holds, the stamp and the right checksum of a place; answers the checksum.</summary>
    public static uint Stamp(Span<byte> frame, long offset, long groupStart, uint relativePosition, long timestamp)
    {
        Rehash(frame);
        return StampEncoded(frame, offset, groupStart, relativePosition, timestamp);
    }

    /// <summary>Streams that no checkpoint covers, with so many events of three streams.</summary>
    public static OpenStreams Streams(int events)
    {
        var streams = new OpenStreams("sample");
        for (var i = 0; i < events; i++)
        {
            var name = Encoding.UTF8.GetBytes($"order-{i % 3}");
            var ordinal = streams.Find((uint)(i % 3), name);
            streams.Add(ordinal >= 0 ? ordinal : streams.Begin((uint)(i % 3), name, firstRevision: 1L << (20 * (i % 3)), previous: -1));
        }

        return streams;
    }

    /// <summary>Lengths of frames, as a checkpoint holds them.</summary>
    public static ReadOnlyMemory<byte> Lengths(IReadOnlyCollection<int> lengths)
    {
        var encoded = new byte[10 * lengths.Count];
        var written = 0;
        foreach (var length in lengths)
        {
            written += Checkpoint.WriteLength(encoded.AsSpan(written), length);
        }

        return encoded.AsMemory(0, written);
    }

    /// <summary>Stamps a frame as a writer does, from the hash it carries; answers the checksum.</summary>
    public static uint StampEncoded(Span<byte> frame, long offset, long groupStart, uint relativePosition, long timestamp) => FrameStamp.Event(
        frame, Header().Identity.ChecksumKey, (uint)(offset / 8), FrameStamp.DistanceAndPosition(offset, groupStart, relativePosition), Revision, timestamp);

    /// <summary>Appends a batch that expects something, and answers what became of it.</summary>
    public static async Task<BatchOutcome> AppendAsync(SegmentWriter writer, EventBatch batch, StreamExpectations expected)
    {
        using var block = EventBlock.Parse(batch.Bytes);
        return Assert.Single((await writer.AppendAsync(block, null, [expected])).Outcomes!);
    }

    public static byte[] Payload(int number, int bytes)
    {
        var data = new byte[bytes];
        new Random(number).NextBytes(data);
        return data;
    }

    public static void AssertIs(int number, RecordedEvent found, int dataBytes = 100)
    {
        var expected = Event(number, dataBytes);
        Assert.Equal(expected.Stream, found.Stream);
        Assert.Equal(expected.Type, found.Type);
        Assert.Equal(expected.Id, found.Id);
        Assert.Equal(expected.Occurred, found.Occurred);
        Assert.Equal(expected.Data.ToArray(), found.Data.ToArray());
        Assert.Equal(expected.Metadata.ToArray(), found.Metadata.ToArray());
    }

    /// <summary>Every event of the segment, read in blocks and verified.</summary>
    public static List<RecordedEvent> ReadAll(Segment segment, long from = 0, long to = long.MaxValue, int maxBytes = 4096)
    {
        var events = new List<RecordedEvent>();
        for (var next = from; ;)
        {
            var span = segment.Read(next, to, int.MaxValue, maxBytes);
            var bytes = span.Bytes.Span;
            for (var offset = span.Run.Offset; !bytes.IsEmpty;)
            {
                Assert.Equal(FrameStatus.Whole, Frame.TryRead(bytes, offset, segment.Header.Identity, out var frame));
                if (frame.Kind == FrameKind.Event)
                {
                    Assert.True(EventFrame.TryOpen(frame, segment.Header.BasePosition, out var e));
                    events.Add(e.ToRecordedEvent());
                }

                bytes = bytes[frame.Bytes.Length..];
                offset = frame.End;
            }

            if (span.Next == next)
            {
                return events;
            }

            next = span.Next;
        }
    }
}
