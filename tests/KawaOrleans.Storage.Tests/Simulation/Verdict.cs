namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>Holds what a store recovered against what was given and what was told before the crash.</summary>
/// <param name="boundaries">Where batches begin and end.</param>
/// <param name="notes">What was told.</param>
/// <param name="promised">Which notes count: <see cref="Acknowledged"/>, or <see cref="Flushed"/> where acknowledged events may be lost.</param>
internal sealed class Verdict(IReadOnlyList<int> boundaries, IEnumerable<string> notes, string promised = Verdict.Acknowledged)
{
    public const string Acknowledged = "acknowledged";
    public const string Flushed = "flushed";

    private readonly HashSet<string> _notes = [.. notes];

    /// <summary>Opens the store on what a crash left, opens it again, appends, cuts the power once more: at each step acknowledged
    /// events are all there, in order, once; batches are whole or absent; nothing else appears; nothing published is taken back.</summary>
    public async Task CheckAsync(SimulatedVolume left)
    {
        var time = new StillTime();
        Unrecovered.Check(left);
        var found = Check(left, time, out var store);
        Assert.Equal(found, Check(left.AfterKill(), time, out _));

        // What recovery showed it has put on disk, mapped or not.
        var lost = Reboot.Of(left.AfterPowerLoss(Survival.None));
        Assert.Equal(found with { LostPower = found.LostPower || store.Segments.Any(s => Reboot.IsMapped(left, s)) }, Check(lost, time, out _));

        if (store.CurrentWriteSegment(Sample.LogId) is { } segment)
        {
            if (segment.LostPower)
            {
                End(left, segment, found, time);
            }
            else
            {
                await GoOnAsync(left, segment, found, time);
            }
        }
    }

    private async Task GoOnAsync(SimulatedVolume left, Segment segment, Found found, StillTime time)
    {
        var again = new Workload(left, time);
        again.Boundaries[0] = found.Events;
        left.Recorded = [];
        var mapped = Reboot.IsMapped(left, segment);
        var writer = segment.OpenWriter(Guid.NewGuid());
        await again.AppendAsync(writer, 2);
        var after = new Verdict([.. boundaries.Where(b => b <= found.Events), .. again.Boundaries], [.. _notes, $"{promised} {found.Events + 2}"], promised);
        if (mapped)
        {
            Assert.Equal(found.Events + 2, after.Check(left.AfterKill(), time, out _).Events);
            await again.FlushAsync(writer);
        }

        Assert.Equal(found.Events + 2, after.Check(Reboot.Of(left.AfterPowerLoss(Survival.None)), time, out _).Events);
    }

    /// <summary>A mapped segment that lost power takes nothing any more, and ends where it said.</summary>
    private void End(SimulatedVolume left, Segment segment, Found found, StillTime time)
    {
        Assert.Throws<WriterFencedException>(() => segment.OpenWriter(Guid.NewGuid()));
        segment.Seal(segment.Fence(savedChainVersion: 2).Position);
        segment.WriteFooter();
        var ended = Check(Reboot.Of(left.AfterPowerLoss(Survival.None)), time, out _);
        Assert.Equal((found.Events, false), (ended.Events, ended.LostPower));
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
        var acknowledged = _notes.Where(n => n.StartsWith(promised, StringComparison.Ordinal)).Select(n => int.Parse(n.Split(' ')[1])).Append(0).Max();
        Assert.True(events >= acknowledged, $"{acknowledged} events were {promised}, {events} are there");
        Assert.True(first?.State >= SegmentState.Fenced || !_notes.Contains("fenced"), "it was fenced and is not");
        Assert.True(first?.State == SegmentState.Sealed || !_notes.Contains("sealed"), "it was sealed and is not");
        var chain = store.Chains.SingleOrDefault()?.Version ?? 0;
        Assert.True(chain >= _notes.Where(n => n.StartsWith("chain", StringComparison.Ordinal)).Select(n => int.Parse(n.Split(' ')[1])).Append(0).Max(), $"chain {chain}");
        return new Found(events, first?.State, second?.State, chain, store.Segments.Any(s => s.LostPower));
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

    internal sealed record Found(int Events, SegmentState? First, SegmentState? Second, long Chain, bool LostPower);
}
