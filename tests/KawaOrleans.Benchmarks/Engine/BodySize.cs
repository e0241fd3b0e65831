using System.Globalization;
using System.Text;

namespace KawaOrleans.Benchmarks.Engine;

/// <summary>Events whose encoded body has one size, as both sides of a comparison get them.</summary>
internal sealed class BodySize
{
    public const int BatchEvents = 1000;

    /// <summary>The frame's header before a body; docs/FORMAT.md, "Frame".</summary>
    public const int HeaderBytes = 40;

    private const int Distinct = 1024;
    private const int EnvelopeBytes = 24;
    private const string Type = "order-placed";

    public static readonly BodySize Small = new(188);
    public static readonly BodySize Large = new(1112);

    private BodySize(int bytes)
    {
        Bytes = bytes;
        Events = [.. Enumerable.Range(0, Distinct).Select(n => Event(n, bytes - EnvelopeBytes - Stream(n).Length - Type.Length))];
        Singles = [.. Events.Select(EventBatch.Of)];
        Bodies = [.. Singles.Select(b => b.Bytes.Slice(HeaderBytes, bytes).ToArray())];
        Batch = EventBatch.Encode(Events[..BatchEvents]);
    }

    public static IReadOnlyList<BodySize> Both => [Small, Large];

    /// <summary>The body's bytes: envelope, names and data.</summary>
    public int Bytes { get; }

    /// <summary>What one event takes on disk: header, body, padding.</summary>
    public int FrameBytes => Batch.Bytes.Length / BatchEvents;

    public EventData[] Events { get; }

    /// <summary>Each event as a batch of its own.</summary>
    public EventBatch[] Singles { get; }

    /// <summary>The same bodies for stores that keep bytes.</summary>
    public byte[][] Bodies { get; }

    /// <summary>The first thousand as one batch.</summary>
    public EventBatch Batch { get; }

    /// <summary>The body of the n-th of any number of events.</summary>
    public byte[] Body(int n) => Bodies[n & (Distinct - 1)];

    public EventBatch Single(int n) => Singles[n & (Distinct - 1)];

    /// <summary>As many events as fit in one batch, at the most <paramref name="count"/>, encoded: for filling quickly.</summary>
    public EventBatch BatchOf(int count) => EventBatch.Encode([.. Enumerable.Range(0, Math.Min(count, Limits.MaxBatchBytes / FrameBytes)).Select(n => Events[n & (Distinct - 1)])]);

    public static EventData Event(int number, int dataBytes)
    {
        var data = new byte[dataBytes];
        new Random(number).NextBytes(data);
        return new EventData(Stream(number), Type, data) { Id = new Guid(number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) };
    }

    public override string ToString() => $"{Bytes.ToString("N0", CultureInfo.InvariantCulture)} B";

    private static string Stream(int number) => string.Create(CultureInfo.InvariantCulture, $"orders-{number % 97:000000000}");
}
