namespace KawaOrleans.Server.Protocol;

/// <summary>One writer's tenure of a segment with several replicas: what it wrote, what each follower holds, what is acknowledged.
/// It begins only once its node keeps a chain that lists the segment as open (<see cref="WriterRule"/>), and is never resumed.</summary>
internal sealed class ReplicatedOpening
{
    private const int Primary = 0;

    private readonly ChainSegment _segment;
    private readonly AckTracking _acks;
    private readonly FollowerFeed[] _feeds;
    private ReplicaTail _written;

    /// <param name="segment">The segment; the first of its ensemble is this node.</param>
    /// <param name="openingId">Drawn for this tenure, and synced in the primary's file.</param>
    /// <param name="start">Where the file begins: every replica is prepared up to there.</param>
    public ReplicatedOpening(ChainSegment segment, Guid openingId, ReplicaTail start)
    {
        (_segment, OpeningId, _written) = (segment, openingId, start);
        _acks = new AckTracking(segment, openingId);
        _feeds = [.. segment.Ensemble.Skip(1).Select(_ => new FollowerFeed(start))];
    }

    public Guid OpeningId { get; }

    /// <summary>What the primary holds, synced.</summary>
    public ReplicaTail Written => _written;

    /// <summary>The position behind the last acknowledged event.</summary>
    public long Committed => _acks.Committed;

    /// <summary>How many followers there are; they are numbered from 0 in the order of the ensemble.</summary>
    public int Followers => _feeds.Length;

    /// <summary>Why this opening can acknowledge nothing more, or null: the segment is to be ended.</summary>
    public string? CannotCommit
    {
        get
        {
            var ended = _feeds.Where(feed => feed.Ended is not null).ToList();
            return ended.Count > _segment.Ensemble.Count - _segment.AckQuorum
                ? $"segment {_segment.Id:N}: {string.Join("; ", ended.Select(feed => feed.Ended))}"
                : null;
        }
    }

    /// <summary>The primary synced a write group; true when that acknowledges something.</summary>
    public bool Wrote(ReplicaTail tail)
    {
        _written = tail;
        return _acks.Hold(Primary, OpeningId, tail.Position);
    }

    /// <summary>The next message to a follower; see <see cref="FollowerFeed.Next"/>.</summary>
    public FeedStep? Next(int follower, bool tellCommitted) => _feeds[follower].Next(_written, Committed, tellCommitted);

    /// <summary>See <see cref="FollowerFeed.Restarted"/>.</summary>
    public void Restarted(int follower) => _feeds[follower].Restarted();

    /// <summary>True when nothing is sent to a follower any more.</summary>
    public bool HasEnded(int follower) => _feeds[follower].Ended is not null;

    /// <summary>What became of the chain that was told.</summary>
    public void ChainTold(int follower, NodeAnswer<long> answer)
    {
        if (answer.IsKnown)
        {
            _feeds[follower].ChainTold();
        }
        else
        {
            _feeds[follower].Unanswered();
        }
    }

    /// <summary>What became of groups sent; true when it acknowledges something.</summary>
    public bool Answered(int follower, NodeAnswer<FollowerAnswer> answer)
    {
        var feed = _feeds[follower];
        if (answer is not { IsKnown: true, Value: { } held })
        {
            feed.Unanswered();
            return false;
        }

        feed.Answered(held, _written);
        if (feed.Ended is null)
        {
            return held.Refusal == FollowerRefusal.None && _acks.Hold(follower + 1, held.OpeningId, held.Tail.Position);
        }

        _acks.Forget(follower + 1);
        return false;
    }
}
