namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>The judge of the soak, judged.</summary>
[Trait("Category", "Soak")]
public sealed class SoakAuditTests
{
    private const int Seed = 7;
    private static readonly EventData[] A0 = Batch("a", 0);
    private static readonly EventData[] A1 = Batch("a", 1);
    private static readonly EventData[] B0 = Batch("b", 0);

    [Fact]
    public void What_was_acknowledged_is_there_and_all_is_well() => Assert.Empty(Audit([0, A0.Length + B0.Length], [A0.Length], A0, B0, A1));

    [Fact]
    public void An_unknown_outcome_may_be_there_or_not()
    {
        Assert.Empty(Audit([null, A0.Length], [], A0, A1));
        Assert.Empty(Audit([null, 0], [], A1));
    }

    [Fact]
    public void A_killed_client_may_have_appended_more_than_it_told() => Assert.Empty(Audit([], [], killed: true, A0, A1));

    [Fact]
    public void A_batch_that_nobody_appended_is_seen() => Assert.NotEmpty(Audit([0], [], A0, A1));

    [Fact]
    public void A_lost_batch_is_seen() => Assert.NotEmpty(Audit([0, A0.Length], [], A0));

    [Fact]
    public void A_batch_in_another_place_is_seen() => Assert.NotEmpty(Audit([0, A0.Length], [A0.Length + A1.Length], B0, A0, A1));

    [Fact]
    public void A_batch_that_is_there_twice_is_seen()
    {
        Assert.NotEmpty(Audit([null], [], A0, A0));
        Assert.NotEmpty(Audit([0], [], A0, A0));
    }

    [Fact]
    public void Half_a_batch_is_seen()
    {
        Assert.NotEmpty(Audit([null], [0], A0[..^1], B0));
        Assert.NotEmpty(Audit([null], [], A0[..^1]));
    }

    [Fact]
    public void Another_order_than_acknowledged_is_seen() => Assert.NotEmpty(Audit([A1.Length, 0], [], A1, A0));

    [Fact]
    public void A_changed_byte_is_seen()
    {
        var changed = A0.ToArray();
        var data = changed[0].Data.ToArray();
        data[^1] ^= 1;
        changed[0] = changed[0] with { Data = data };
        Assert.NotEmpty(Audit([0], [], changed));
    }

    [Fact]
    public void A_missing_position_is_seen()
    {
        var audit = new SoakAudit(Seed, Records([0], [], killed: false));
        foreach (var e in Recorded(A0))
        {
            audit.Next(e with { Position = e.Position + 1 });
        }

        Assert.NotEmpty(audit.Violations());
    }

    private static IReadOnlyList<string> Audit(long?[] a, long?[] b, params EventData[][] log) => Audit(a, b, killed: false, log);

    private static IReadOnlyList<string> Audit(long?[] a, long?[] b, bool killed, params EventData[][] log)
    {
        var audit = new SoakAudit(Seed, Records(a, b, killed));
        foreach (var e in Recorded(log))
        {
            audit.Next(e);
        }

        return audit.Violations();
    }

    private static CallerRecord[] Records(long?[] a, long?[] b, bool killed)
    {
        var records = new[] { new CallerRecord("a", killed), new CallerRecord("b", killed) };
        foreach (var (record, first) in records.Zip([a, b]))
        {
            for (var i = 0; i < first.Length; i++)
            {
                record.Add(i, first[i]);
            }
        }

        return records;
    }

    /// <summary>More than one event, so that half of it can be.</summary>
    private static EventData[] Batch(string caller, int sequence)
    {
        var events = SoakBatch.Events(Seed, caller, sequence);
        return events.Length > 1 ? events : throw new InvalidOperationException("Choose another seed.");
    }

    private static IEnumerable<RecordedEvent> Recorded(params EventData[][] batches) => batches.SelectMany(static batch => batch).Select(static (e, position) => new RecordedEvent
    {
        Position = position,
        Revision = -1,
        Stream = e.Stream,
        Type = e.Type,
        Id = e.Id,
        Recorded = DateTimeOffset.UnixEpoch,
        Occurred = null,
        Data = e.Data,
        Metadata = e.Metadata,
    });
}
