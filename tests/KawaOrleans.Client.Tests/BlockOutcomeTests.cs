using KawaOrleans.Server.Segments;
using KawaOrleans.Storage;

namespace KawaOrleans.Client.Tests;

/// <summary>What the writer says of a block, and what each of its callers is told.</summary>
public sealed class BlockOutcomeTests
{
    private const long First = 1000;
    private static readonly long Written = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).Ticks;

    [Fact]
    public async Task A_block_written_whole_is_one_answer_and_each_batch_is_told_its_own_revisions()
    {
        var block = Block(Batch(2, []), Batch(1, ["a"]), Batch(3, null), Batch(2, ["b", "c"]));
        var answer = AppendAnswer.Of(new AppendedBlock(First, 8, Written, [
            Outcome(First, 2, []), Outcome(First + 2, 1, [7]), Outcome(First + 3, 3, null), Outcome(First + 6, 2, [9, -1])]));

        var whole = Assert.IsType<Appended>(answer);
        Assert.Equal([7, 9, -1], whole.Revisions);
        var told = await Tell(block, answer);

        Assert.Equal([(First, 2), (First + 2, 1), (First + 3, 3), (First + 6, 2)], told.Select(t => (t.First, t.Count)));
        Assert.Equal([[], [7], null, [9, -1]], told.Select(t => t.Revisions));
        Assert.All(told, t => Assert.Equal(Written, t.Recorded.UtcTicks));
    }

    [Fact]
    public void A_block_of_which_a_batch_was_not_written_has_an_answer_for_each()
    {
        var conflict = new BatchOutcome(BatchFate.UnexpectedRevision, First, 0, 0) { Conflict = new StreamConflict("a", ExpectedRevision.NoStream, 4) };
        var answer = AppendAnswer.Of(new AppendedBlock(First, 1, Written, [conflict, Outcome(First, 1, [5])]));

        var each = Assert.IsType<BatchOutcomes>(answer).Batches;
        Assert.Equal(4, Assert.IsType<RevisionConflict>(each[0]).ActualRevision);
        Assert.Equal([5], Assert.IsType<Appended>(each[1]).Revisions);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task An_answer_with_other_revisions_than_were_asked_for_says_nothing(int revisions)
    {
        var block = Block(Batch(1, ["a"]), Batch(1, ["b"]));
        var answer = new Appended(First, 2, default) { Revisions = new long[revisions] };

        await Assert.ThrowsAsync<UnknownOutcomeException>(() => Tell(block, answer));
    }

    private static async Task<Appended[]> Tell(OutgoingBlock block, AppendResult answer)
    {
        var outcome = BlockOutcome.Of("log", block, answer, failure: null);
        Assert.True(outcome.IsFinal);
        outcome.Tell(block, new KnownEnd(), Guid.Empty);
        return await Task.WhenAll(block.Batches.Select(static batch => batch.Task));
    }

    private static OutgoingBlock Block(params PendingBatch[] batches) => new([.. batches]);

    private static PendingBatch Batch(int events, string[]? expectedOf) =>
        new(EventBatch.Encode([.. Enumerable.Range(0, events).Select(static _ => new EventData("s", "t", default))]), goesOnHere: true)
        {
            Expected = expectedOf is null ? null : StreamExpectations.Of([.. expectedOf.Select(static name => new StreamExpectation(name, ExpectedRevision.Any))]),
        };

    private static BatchOutcome Outcome(long position, int count, long[]? revisions) => new(BatchFate.Written, position, count, Written) { Revisions = revisions };
}
