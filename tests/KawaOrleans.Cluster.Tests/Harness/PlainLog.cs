using System.Text;

namespace KawaOrleans.Cluster.Tests;

/// <summary>A log through its grains alone, the way a client without KawaClient would use it.</summary>
internal sealed class PlainLog(IClusterClient client, string name)
{
    private Chain? _chain;

    public ISegmentDirectoryGrain Directory => client.GetGrain<ISegmentDirectoryGrain>(name);

    public ISegmentGrain Grain(ChainSegment segment) => client.GetGrain<ISegmentGrain>(segment.Id, segment.Primary);

    public async Task<PlainLog> Create(long segmentBytes = 64 * 1024, int replicas = 1, int ackQuorum = 1)
    {
        _chain = await Directory.Create(new LogOptions { SegmentBytes = segmentBytes, Replicas = replicas, AckQuorum = ackQuorum });
        return this;
    }

    /// <summary>The description once no replica is only fenced: what has ended is sealed a little later.</summary>
    public async Task<LogDescription> DescribeSealed()
    {
        var description = await Directory.Describe();
        for (var attempt = 0; attempt < 100 && description.Segments.Any(segment => segment.State == ReplicaState.Fenced); attempt++)
        {
            await Task.Delay(50);
            description = await Directory.Describe();
        }

        return description;
    }

    /// <summary>Appends, following the log from segment to segment; what is said to be retryable is repeated.</summary>
    public Task<Appended> Append(EventBatch batch) => Append(batch, retrySince: null);

    /// <summary>The same; what has no outcome is repeated too, with the same ids.</summary>
    public async Task<Appended> AppendSurely(EventBatch batch)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await Append(batch, attempt == 0 ? null : 0);
            }
            catch (Exception e) when (e is UnknownOutcomeException or TimeoutException && attempt < 20)
            {
                _chain = null;
            }
        }
    }

    private async Task<Appended> Append(EventBatch batch, long? retrySince)
    {
        for (var attempt = 0; attempt < 50; attempt++)
        {
            try
            {
                if (await TryAppend(batch, retrySince) is { } appended)
                {
                    return appended;
                }
            }
            catch (KawaException e) when (e.IsRetryable && attempt < 20)
            {
                // Nothing was written: a node is on its way back, or a busy machine let it answer late.
                await Task.Delay(100);
            }
        }

        throw new InvalidOperationException($"log '{name}' did not take the batch");
    }

    private async Task<Appended?> TryAppend(EventBatch batch, long? retrySince)
    {
        var chain = _chain ??= await Directory.OpenWriteSegment(null, batch.Bytes.Length);
        if (chain.WriteSegment is not { } segment)
        {
            _chain = await Directory.OpenWriteSegment(chain.Segments.Count > 0 ? chain.Segments[^1].Id : null, batch.Bytes.Length);
            return null;
        }

        switch (await Grain(segment).Append(new AppendRequest { Batches = Block.Of(batch), RetrySince = retrySince }))
        {
            case Appended appended:
                return appended;
            case SegmentEnded:
                _chain = await Directory.OpenWriteSegment(segment.Id, batch.Bytes.Length);
                return null;
            default:
                // Not the primary, or not yet: a node that was just started has to register first.
                await Task.Delay(100);
                _chain = await Directory.GetChain();
                return null;
        }
    }

    /// <summary>Everything in the range, slice by slice as planned.</summary>
    public async Task<List<RecordedEvent>> Read(RangeQuery? query = null)
    {
        query ??= new RangeQuery();
        var plan = await Directory.Plan(query);
        var events = new List<RecordedEvent>();
        foreach (var slice in plan.Slices)
        {
            for (var next = slice.From; next < slice.To;)
            {
                var result = await client.GetGrain<ISegmentGrain>(slice.SegmentId, slice.Nodes[0])
                    .Read(new ReadRequest { From = next, To = slice.To, AtLeast = slice.To, Filter = query.Filter });
                events.AddRange(result.Events.ToList(next, slice.To));
                Assert.True(result.Next > next, $"a read at {next} got no further");
                next = result.Next;
            }
        }

        return events;
    }

    public static EventBatch Batch(int events, string stream = "order-1", string type = "placed", int bytes = 100, string tag = "") =>
        EventBatch.Encode([.. Enumerable.Range(0, events).Select(i => Event(stream, type, $"{tag}/{i}", bytes))]);

    public static EventData Event(string stream, string type, string tag, int bytes = 100)
    {
        var data = new byte[Math.Max(bytes, Encoding.UTF8.GetByteCount(tag))];
        Encoding.UTF8.GetBytes(tag, data);
        return new EventData(stream, type, data);
    }

    /// <summary>What <see cref="Event"/> wrote into the data.</summary>
    public static string TagOf(RecordedEvent e) => Encoding.UTF8.GetString(e.Data.Span).TrimEnd('\0');
}
