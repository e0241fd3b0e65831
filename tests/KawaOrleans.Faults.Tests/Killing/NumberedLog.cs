using KawaOrleans.Format;
using KawaOrleans.Storage;

namespace KawaOrleans.Faults.Tests.Killing;

/// <summary>A log whose every event and every batch follows from its number, so that two processes know what must be in it.</summary>
internal sealed class NumberedLog
{
    private static readonly Guid Node = new("20000000-0000-0000-0000-000000000001");

    public static readonly NumberedLog Durable = new('d', Durability.Durable, segmentBytes: 128 * 1024);
    public static readonly NumberedLog Mapped = new('m', Durability.Mapped, segmentBytes: 1024 * 1024);

    private readonly long _segmentBytes;

    private NumberedLog(char letter, Durability durability, long segmentBytes)
    {
        (Letter, Durability, _segmentBytes) = (letter, durability, segmentBytes);
        Id = new Guid(letter, 1, 1, new byte[8]);
    }

    public static IReadOnlyList<NumberedLog> Both { get; } = [Durable, Mapped];

    /// <summary>Names it in what the process tells.</summary>
    public char Letter { get; }

    public Durability Durability { get; }

    public Guid Id { get; }

    /// <summary>The batch that begins with this event.</summary>
    public EventBatch Batch(long first) => EventBatch.Encode([.. Enumerable.Range(0, BatchEvents(first)).Select(i => Event(first + i))]);

    /// <summary>The header of its next segment.</summary>
    public SegmentHeader Header(long basePosition, long epoch) => new()
    {
        Identity = new SegmentIdentity(new Guid(Letter, (short)epoch, 2, new byte[8]), 0, epoch),
        LogId = Id,
        LogName = $"numbered-{Letter}",
        BasePosition = basePosition,
        FileBytes = _segmentBytes,
        Ensemble = [Node],
        ChainVersion = 1,
    };

    /// <summary>Every way in which the log in this store is not what it must be, and how many events it has.</summary>
    public (List<string> Violations, long Events) Audit(NodeStore store)
    {
        var violations = store.Untrusted.Select(static u => u.Problem).ToList();
        var next = 0L;
        var batchEnd = 0L;
        foreach (var segment in store.Segments.Where(s => s.Header.LogId == Id).OrderBy(static s => s.Header.Identity.Epoch))
        {
            if (segment.Header.BasePosition != next)
            {
                violations.Add($"{Letter}: a segment begins at {segment.Header.BasePosition}, the one before it ends at {next}");
            }

            if (segment.LostPower)
            {
                violations.Add($"{Letter}: {segment.Path} says that power was lost");
            }

            for (; next < segment.Tail.Position; next++)
            {
                batchEnd += next == batchEnd ? BatchEvents(next) : 0;
                if (!segment.TryRead(next, out var found) || !Is(Event(next), found!))
                {
                    violations.Add($"{Letter}: position {next} does not hold event {next}");
                    return (violations, next);
                }
            }
        }

        if (next != batchEnd)
        {
            violations.Add($"{Letter}: it ends at {next}, in the middle of the batch that ends at {batchEnd}");
        }

        return (violations, next);
    }

    private static bool Is(EventData expected, RecordedEvent found) =>
        found.Id == expected.Id && found.Stream == expected.Stream && found.Data.Span.SequenceEqual(expected.Data.Span);

    private static int BatchEvents(long first) => 1 + (int)(Mix(first) % 6);

    private static ulong Mix(long number) => unchecked(((ulong)number + 1) * 0x9E3779B97F4A7C15UL) >> 32;

    private EventData Event(long number)
    {
        var data = new byte[20 + (int)(Mix(number) % 300)];
        data.AsSpan().Fill((byte)(Mix(number) % 256));
        BitConverter.TryWriteBytes(data, number);
        return new EventData($"stream-{number % 10}", "numbered", data) { Id = new Guid((int)number, (short)Letter, 3, new byte[8]) };
    }
}
