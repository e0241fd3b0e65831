using KawaOrleans.Format;
using KawaOrleans.Server.Segments;
using KawaOrleans.Storage;

namespace KawaOrleans.Cluster.Tests.Replicas;

/// <summary>What a replica answers for, at each stage of its life.</summary>
public sealed class BehindTests : IDisposable
{
    private const string Node = "node-1";

    private readonly string _directory = Directory.CreateTempSubdirectory("kawa-behind-").FullName;

    [Fact]
    public async Task A_replica_of_several_answers_for_what_it_was_told_and_a_sealed_one_for_all()
    {
        var path = Path.Combine(_directory, "one.seg");
        using (var written = Segment.Create(path, Header(3)))
        {
            AssertAnswersFor(written, 0);
            var writer = written.OpenWriter(Guid.NewGuid());
            await writer.AppendAsync(PlainLog.Batch(5));

            // Its writer knows that nothing is acknowledged yet.
            AssertAnswersFor(written, 0);
            written.Learn(3);
            AssertAnswersFor(written, 3);
        }

        // It came back and holds five; how many of them are acknowledged nobody told it.
        using var replica = Segment.Open(path);
        var behind = Assert.Throws<BehindException>(() => SegmentReads.RefuseIfBehind(replica, Node, 0));
        Assert.Equal((Node, 0, 5), (behind.Node, behind.Known, behind.AtLeast));
        replica.Fence(1);
        Assert.Throws<BehindException>(() => SegmentReads.RefuseIfBehind(replica, Node, 0));
        replica.Learn(4);
        AssertAnswersFor(replica, 4);
        var shown = StreamReads.Read(replica, new StreamReadRequest { Stream = "order-1" });
        Assert.Equal((4, 4L, true), (shown.Count, shown.Committed, shown.HasEnded));
        Assert.Equal(3, StreamReads.Find(replica, ["order-1"])[0]!.LastRevision);
        replica.Seal(5);
        SegmentReads.RefuseIfBehind(replica, Node, long.MaxValue);
        Assert.Equal(4, StreamReads.Find(replica, ["order-1"])[0]!.LastRevision);
    }

    [Fact]
    public async Task An_only_replica_answers_for_all_it_has()
    {
        var path = Path.Combine(_directory, "only.seg");
        using (var written = Segment.Create(path, Header(1)))
        {
            await written.OpenWriter(Guid.NewGuid()).AppendAsync(PlainLog.Batch(5));
            AssertAnswersFor(written, 5);
        }

        using var replica = Segment.Open(path);
        AssertAnswersFor(replica, 5);
        replica.Fence(1);
        AssertAnswersFor(replica, 5);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static SegmentHeader Header(int nodes) => new()
    {
        Identity = new SegmentIdentity(Guid.NewGuid(), 0, 1), LogId = Guid.NewGuid(), LogName = "orders", BasePosition = 0, FileBytes = 64 * 1024,
        Ensemble = [.. Enumerable.Range(0, nodes).Select(_ => Guid.NewGuid())], AckQuorum = 1 + (nodes / 2), ChainVersion = 1,
    };

    private static void AssertAnswersFor(Segment replica, long position)
    {
        SegmentReads.RefuseIfBehind(replica, Node, 0);
        SegmentReads.RefuseIfBehind(replica, Node, position);
        Assert.Equal(position, Assert.Throws<BehindException>(() => SegmentReads.RefuseIfBehind(replica, Node, position + 1)).Known);
    }
}
