using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Streams;

/// <summary>A log that goes on at another node takes the heads of its streams there; a run that cannot be used is made again.</summary>
public sealed class HeadTransferTests
{
    private readonly StillTime _time = new();
    private readonly SimulatedVolume _here = new();
    private SimulatedVolume _there = new();

    [Fact]
    public async Task A_log_goes_on_at_another_node_once_the_heads_are_there()
    {
        var end = await WriteSegmentsAsync(3);
        using var here = Open(_here);
        var there = Open(_there);
        var next = there.Create(Header(4, end));
        Assert.False(there.HasHeadsBefore(next.Header));
        Assert.Throws<HeadsMissingException>(() => next.OpenWriter(Guid.NewGuid()));

        Copy(here, there);

        Assert.True(there.HasHeadsBefore(next.Header));
        await AssertNumbersGoOnAsync(next.OpenWriter(Guid.NewGuid()), last: 2);
        there.Dispose();
        _there = _there.AfterPowerLoss(Survival.None);
        there = Open(_there);
        await AssertNumbersGoOnAsync(there.CurrentWriteSegment(Sample.LogId)!.OpenWriter(Guid.NewGuid()), last: 3);
        there.Dispose();
    }

    [Fact]
    public async Task What_comes_later_is_taken_beside_what_is_there()
    {
        var end = await WriteSegmentsAsync(3);
        using (var here = Open(_here))
        using (var there = Open(_there))
        {
            Copy(here, there);
        }

        end = await WriteSegmentsAsync(2, first: 4, end);
        using (var here = Open(_here))
        using (var there = Open(_there))
        {
            Copy(here, there);
            await AssertNumbersGoOnAsync(there.Create(Header(6, end)).OpenWriter(Guid.NewGuid()), last: 4);
        }
    }

    [Fact]
    public async Task A_run_that_changed_on_the_way_is_refused_and_a_good_one_taken_later()
    {
        var end = await WriteSegmentsAsync(2);
        using var here = Open(_here);
        using var there = Open(_there);
        var run = here.HeadRuns(Sample.LogId)[0];
        var bytes = here.ReadHeadRun(Sample.LogId, run.From, run.To, 0, (int)run.Bytes);
        bytes[40] ^= 1;
        using (var copy = there.ReceiveHeadRun(Sample.LogId, run)!)
        {
            copy.Write(0, bytes);
            Assert.Throws<SegmentDamagedException>(copy.Complete);
        }

        var next = there.Create(Header(3, end));
        Assert.False(there.HasHeadsBefore(next.Header));
        Copy(here, there);
        Assert.True(there.HasHeadsBefore(next.Header));
    }

    [Fact]
    public async Task A_run_that_cannot_be_read_does_not_keep_the_node_from_its_segments_and_is_made_again()
    {
        await WriteSegmentsAsync(3);
        using (var store = Open(_here))
        {
            store.MergeHeads();
        }

        // One or two of them, as the merges in the background came between the seals or after them.
        var run = Path.Combine("/kawa/logs", Sample.LogId.ToString("N"), _here.Files($"/kawa/logs/{Sample.LogId:N}").First(name => name.EndsWith(".run", StringComparison.Ordinal)));
        var failed = false;
        _here.Fault = operation =>
        {
            if (operation.Kind == OperationKind.Read && operation.Path == run && !failed)
            {
                failed = true;
                throw new IOException("the medium failed");
            }
        };
        using (var store = Open(_here))
        {
            store.MergeHeads();
            Assert.True(failed);
            Assert.Equal(3, store.Segments.Count);
            await AssertNumbersGoOnAsync(store.Create(Header(4, store.Segments.Max(s => s.Tail.Position))).OpenWriter(Guid.NewGuid()), last: 2);
        }
    }

    private static SegmentHeader Header(int number, long end) =>
        Sample.Header(Id(number), basePosition: end, epoch: number) with { Predecessor = number == 1 ? null : Id(number - 1) };

    private static Guid Id(int number) => new(number, 7, 7, new byte[8]);

    private static void Copy(NodeStore from, NodeStore to)
    {
        foreach (var run in from.HeadRuns(Sample.LogId))
        {
            using var copy = to.ReceiveHeadRun(Sample.LogId, run);
            for (var offset = 0L; copy is not null && offset < run.Bytes;)
            {
                var part = from.ReadHeadRun(Sample.LogId, run.From, run.To, offset, 1000);
                copy.Write(offset, part);
                offset += part.Length;
            }

            copy?.Complete();
        }
    }

    /// <summary>Stream "often" was in every segment, once; "once" in the first; the others nowhere.</summary>
    private static async Task AssertNumbersGoOnAsync(SegmentWriter writer, long last)
    {
        foreach (var (stream, expected) in new[]
        {
            ("often", ExpectedRevision.Exactly(last)), ($"new-{last}", ExpectedRevision.NoStream), ("once", ExpectedRevision.StreamExists),
        })
        {
            var outcome = await Sample.AppendAsync(writer, EventBatch.Of(new EventData(stream, "went on", default)), StreamExpectations.Of(new StreamExpectation(stream, expected)));
            Assert.Null(outcome.Conflict);
        }
    }

    private async Task<long> WriteSegmentsAsync(int count, int first = 1, long end = 0)
    {
        using var store = Open(_here);
        for (var number = first; number < first + count; number++)
        {
            var segment = store.Create(Header(number, end));
            var writer = segment.OpenWriter(Guid.NewGuid());
            await writer.AppendAsync(new EventData("often", "happened", default));
            if (number == 1)
            {
                await writer.AppendAsync(new EventData("once", "happened", default));
            }

            end = segment.Fence(1).Position;
            segment.Seal(end);
        }

        return end;
    }

    private NodeStore Open(SimulatedVolume volume) => NodeStore.Open(volume, "/kawa", "node-1", _time);
}
