using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using MemoryPack;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>A user's typed events: MemoryPack, envelope, frame, in batches of a thousand; encoding alone and with the append.</summary>
internal static class TypedAppend
{
    private const string Encoding = "encoding alone";
    private const string Durable = "encoding and durable append";
    private const string Mapped = "encoding into the mapped tail";

    public static Row Row { get; } = new("append-typed", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var folder = run.Scratch.Folder("append-typed");
        var batches = run.Pick(20, 100);
        var rounds = run.Pick(5, 9);
        var events = batches * BodySize.BatchEvents;
        var size = BodySize.Small;
        var orders = Enumerable.Range(0, BodySize.BatchEvents).Select(n => new TypedOrder { Number = n, Customer = $"customer-{n}", Lines = [.. Enumerable.Range(n, 24)] }).ToArray();
        using var segment = Segments.Create(folder, Segments.FileBytesFor(size, (long)events * (rounds + 2)));
        var writer = segment.OpenWriter(Guid.NewGuid());
        var sides = new List<Side>
        {
            Side.Rate(Encoding, events, () =>
            {
                for (var i = 0; i < batches; i++)
                {
                    _ = Encode(orders);
                }
            }),
            Side.WaitingRate(Durable, events, async () =>
            {
                for (var i = 0; i < batches; i++)
                {
                    await writer.AppendAsync(Encode(orders));
                }
            }),
        };
        sides.Add(MappedRound.Of(Mapped, folder, size, events, tail =>
        {
            for (var i = 0; i < batches; i++)
            {
                tail.Append(Encode(orders));
            }
        }));
        var found = Rounds.Compare(2, rounds, sides);
        yield return new Figure
        {
            Id = "append-typed.188",
            Title = "MemoryPack-encoded typed events, batches of 1,000, encoded and appended",
            Unit = Unit.PerSecond,
            Value = found.Median(Mapped),
            Detail = found.Describe(UnitText.PerSecond),
        };
        Scratch.Remove(folder);
    }

    private static EventBatch Encode(TypedOrder[] orders)
    {
        var events = new EventData[orders.Length];
        for (var i = 0; i < events.Length; i++)
        {
            events[i] = new EventData("orders-000000042", "order-placed", MemoryPackSerializer.Serialize(orders[i]));
        }

        return EventBatch.Encode(events);
    }
}

/// <summary>A typed event of about 136 bytes.</summary>
[MemoryPackable]
internal sealed partial class TypedOrder
{
    public long Number { get; set; }

    public string Customer { get; set; } = "";

    public int[] Lines { get; set; } = [];
}
