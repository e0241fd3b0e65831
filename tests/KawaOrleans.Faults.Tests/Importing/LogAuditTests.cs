namespace KawaOrleans.Faults.Tests.Importing;

/// <summary>The judge of the fault tests, judged.</summary>
[Trait("Category", "Faults")]
public sealed class LogAuditTests
{
    private static readonly EventData[] A = [Event("a0"), Event("a1")];
    private static readonly EventData[] B = [Event("b0"), Event("b1")];

    [Fact]
    public void What_was_acknowledged_is_there_and_all_is_well() => Assert.Empty(LogAudit.Violations(Log(A, B), [new(A, 0), new(B, 2)]));

    [Fact]
    public void An_unknown_outcome_may_be_there_or_not()
    {
        Assert.Empty(LogAudit.Violations(Log(A, B), [new(A, null), new(B, 2)]));
        Assert.Empty(LogAudit.Violations(Log(B), [new(A, null), new(B, 0)]));
    }

    [Fact]
    public void A_lost_batch_is_seen() => Assert.NotEmpty(LogAudit.Violations(Log(B), [new(A, 0), new(B, 2)]));

    [Fact]
    public void A_lost_tail_is_seen() => Assert.NotEmpty(LogAudit.Violations(Log(A), [new(A, 0), new(B, 2)]));

    [Fact]
    public void Half_a_batch_is_seen() => Assert.NotEmpty(LogAudit.Violations(Log(A[..1], B), [new(A, null), new(B, 1)]));

    [Fact]
    public void A_batch_written_twice_is_seen() => Assert.NotEmpty(LogAudit.Violations(Log(A, A, B), [new(A, 0), new(B, 4)]));

    [Fact]
    public void Another_order_is_seen() => Assert.NotEmpty(LogAudit.Violations(Log(B, A), [new(A, 2), new(B, 0)]));

    private static EventData Event(string text) => new("stream", "type", System.Text.Encoding.UTF8.GetBytes(text));

    private static List<RecordedEvent> Log(params EventData[][] batches) =>
    [
        .. batches.SelectMany(static batch => batch).Select(static (e, position) => new RecordedEvent
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
        }),
    ];
}
