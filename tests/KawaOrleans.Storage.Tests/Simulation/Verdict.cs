namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>Holds what a store recovered against what was given and what was told before the crash.</summary>
internal sealed class Verdict(IReadOnlyList<int> boundaries, IEnumerable<string> notes)
{
    private readonly HashSet<string> _notes = [.. notes];

    /// <summary>Opens the store on what a crash left, opens it again, appends, cuts the power once more: at each step acknowledged
    /// events are all there, in order, once; batches are whole or absent; nothing else appears; nothing published is taken back.</summary>
    public async Task CheckAsync(SimulatedVolume left)
    {
        var time = new StillTime();
        var found = Check(left, time, out var store);
        Assert.Equal(found, Check(left.AfterKill(), time, out _));
        Assert.Equal(found, Check(left.AfterPowerLoss(Survival.None), time, out _));

        if (store.CurrentWriteSegment(Sample.LogId) is not { } segment)
        {
            return;
        }

        var again = new Workload(left, time);
        again.Boundaries[0] = found.Events;
        left.Recorded = [];
        await again.AppendAsync(segment.OpenWriter(Guid.NewGuid()), 2);
        var after = new Verdict([.. boundaries.Where(b => b <= found.Events), .. again.Boundaries], [.. _notes, $"acknowledged {found.Events + 2}"]);
        Assert.Equal(found.Events + 2, after.Check(left.AfterPowerLoss(Survival.None), time, out _).Events);
    }

    /// <summary>Opens the store and answers what it found.</summary>
    public Found Check(SimulatedVolume left, StillTime time, out NodeStore store)
    {
        store = NodeStore.Open(left, Workload.Directory, Workload.NodeName, time, Workload.CheckpointIntervalBytes);
        Assert.Empty(store.Untrusted);
        Assert.True(store.TryGet(Workload.FirstId, 0, out var first) || !_notes.Contains("created first"), "the first segment is gone");
        Assert.True(store.TryGet(Workload.SecondId, 0, out var second) || !_notes.Contains("created second"), "the second segment is gone");
        var events = 0;
        foreach (var segment in (Segment?[])[first, second])
        {
            if (segment is not null)
            {
                Assert.Equal(1000 + events, segment.Header.BasePosition);
                events += CheckEvents(segment, events);
            }
        }

        Assert.Contains(events, boundaries);
        var acknowledged = _notes.Where(n => n.StartsWith("acknowledged", StringComparison.Ordinal)).Select(n => int.Parse(n.Split(' ')[1])).Append(0).Max();
        Assert.True(events >= acknowledged, $"{acknowledged} events were acknowledged, {events} are there");
        Assert.True(first?.State >= SegmentState.Fenced || !_notes.Contains("fenced"), "it was fenced and is not");
        Assert.True(first?.State == SegmentState.Sealed || !_notes.Contains("sealed"), "it was sealed and is not");
        var chain = store.Chains.SingleOrDefault()?.Version ?? 0;
        Assert.True(chain >= _notes.Where(n => n.StartsWith("chain", StringComparison.Ordinal)).Select(n => int.Parse(n.Split(' ')[1])).Append(0).Max(), $"chain {chain}");
        return new Found(events, first?.State, second?.State, chain);
    }

    private int CheckEvents(Segment segment, int firstNumber)
    {
        var found = Sample.ReadAll(segment, segment.Header.BasePosition, maxBytes: 100_000);
        Assert.Equal(segment.Tail.Position - segment.Header.BasePosition, found.Count);
        var batch = 0;
        for (var i = 0; i < found.Count; i++)
        {
            var number = firstNumber + i;
            while (boundaries[batch + 1] <= number)
            {
                batch++;
            }

            Assert.Equal(segment.Header.BasePosition + i, found[i].Position);
            Sample.AssertIs(number, found[i], Workload.DataBytes(boundaries[batch]));
        }

        return found.Count;
    }

    internal sealed record Found(int Events, SegmentState? First, SegmentState? Second, long Chain);
}
