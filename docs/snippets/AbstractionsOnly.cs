namespace KawaOrleans.Snippets;

internal static class AbstractionsOnly
{
    public static async Task Run(IClusterClient client)
    {
        // snippet: abstractions-only
        var directory = client.GetGrain<ISegmentDirectoryGrain>("orders");
        var chain = await directory.OpenWriteSegment(after: null, batchBytes: 0);
        var segment = client.GetGrain<ISegmentGrain>(chain.WriteSegment!.Id, chain.WriteSegment.Primary);

        // Appended, or SegmentEnded: then ask for the segment after this one and repeat there.
        var batch = EventBatch.Of(new EventData("order-17", "OrderPlaced", """{"total":42}"""u8.ToArray()));
        var result = await segment.Append(Block.Of(batch));
        await segment.Flush();

        var query = new RangeQuery { Filter = new EventFilter { StreamPrefix = "order-" } };
        foreach (var slice in (await directory.Plan(query)).Slices)
        {
            var part = client.GetGrain<ISegmentGrain>(slice.SegmentId, slice.Nodes[0]); // or another of them
            var read = await part.Read(new ReadRequest { From = slice.From, To = slice.To, AtLeast = slice.To, Filter = query.Filter });
            foreach (var e in read.Events.Read(slice.From, slice.To))
            {
                Console.WriteLine($"{e.Position}: {e.Data.Length} bytes"); // then on from read.Next, up to slice.To
            }
        }

        var byType = await directory.Aggregate(new AggregationQuery { Name = "by-type", Range = query });
        Console.WriteLine($"{result}; {byType.Values["OrderPlaced"]} placed; {(await segment.GetStats()).Path}");
        // end snippet
    }
}
