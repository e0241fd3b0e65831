namespace KawaOrleans.ClientSample.Orders;

/// <summary>Loads orders by folding their events, and changes them under the revision they were decided on.</summary>
internal sealed class OrderStore(ILog log)
{
    /// <summary>The order as it is now. The log must exist.</summary>
    public async Task<Order> LoadAsync(string id, CancellationToken cancellation = default)
    {
        var order = new Order(id);
        await foreach (var e in log.Stream(order.Stream).ReadAsync(cancellation: cancellation))
        {
            order = order.After(e);
        }

        return order;
    }

    /// <summary>Decides on the newest order and records that. When somebody else was faster, the order is loaded and decided on anew.</summary>
    /// <param name="id">Which order.</param>
    /// <param name="decide">What is to be recorded; null: nothing.</param>
    /// <param name="cancellation">Ends the wait; what was sent may be recorded all the same.</param>
    /// <returns>The order, and whether this call changed it.</returns>
    public async Task<(Order Order, bool Changed)> ChangeAsync(string id, Func<Order, EventData?> decide, CancellationToken cancellation = default)
    {
        while (true)
        {
            var order = await LoadAsync(id, cancellation);
            if (decide(order) is not { } decided)
            {
                return (order, false);
            }

            var expected = order.Revision < 0 ? ExpectedRevision.NoStream : ExpectedRevision.Exactly(order.Revision);
            if (await log.Stream(order.Stream).AppendAsync([decided], expected, cancellation) is Appended)
            {
                return (await LoadAsync(id, cancellation), true);
            }
        }
    }

    /// <summary>Records a summary of the order and has readers begin there. If somebody changes the order meanwhile, nothing is done. If only the first
    /// is done, readers begin earlier and come to the same.</summary>
    public async Task SummarizeAsync(string id, CancellationToken cancellation = default)
    {
        var order = await LoadAsync(id, cancellation);
        var stream = log.Stream(order.Stream);
        if (order.Summarize() is { } summary && await stream.AppendAsync([summary], ExpectedRevision.Exactly(order.Revision), cancellation) is Appended written)
        {
            var now = await stream.GetMetadataAsync(cancellation);
            var first = Math.Max(now.Metadata.TruncateBefore, written.Revisions![0]);
            await stream.SetMetadataAsync(now.Metadata with { TruncateBefore = first }, now.Expected, cancellation);
        }
    }
}
