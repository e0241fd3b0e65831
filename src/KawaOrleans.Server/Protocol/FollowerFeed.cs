namespace KawaOrleans.Server.Protocol;

/// <summary>What a primary sends one follower next. One message is under way at a time, and what is sent is read from the primary's own file
/// then: nothing is queued for a slow follower, and one that fell behind is fed as one that did not.</summary>
internal sealed class FollowerFeed(ReplicaTail start)
{
    private bool _isUnderWay;
    private bool _isGreeted;
    private bool _needsChain;
    private long _told;
    private long _telling;

    /// <summary>What it said it holds.</summary>
    public ReplicaTail Held { get; private set; } = start;

    /// <summary>Why nothing is sent any more, or null.</summary>
    public string? Ended { get; private set; }

    /// <summary>The next message, which is under way from then on; null when there is none now.</summary>
    /// <param name="written">What the primary holds, synced.</param>
    /// <param name="committed">What is acknowledged.</param>
    /// <param name="tellCommitted">True to send what is committed alone when there is nothing else.</param>
    public FeedStep? Next(ReplicaTail written, long committed, bool tellCommitted)
    {
        if (_isUnderWay || Ended is not null)
        {
            return null;
        }

        if (_needsChain)
        {
            _isUnderWay = true;
            return new FeedStep.TellChain();
        }

        // The first message goes out before there is anything to take: then the follower has synced whose appends it takes when they come.
        if (_isGreeted && Held.Offset >= written.Offset && !(tellCommitted && committed > _told))
        {
            return null;
        }

        (_isUnderWay, _telling) = (true, committed);
        return new FeedStep.Send(Held, committed);
    }

    /// <summary>The message under way got no answer: what became of it is unknown.</summary>
    public void Unanswered() => _isUnderWay = false;

    /// <summary>Another process answers for it now. It holds what it held, and does not know what is committed until it is told again.</summary>
    public void Restarted() => _isGreeted = false;

    /// <summary>The chain was told.</summary>
    public void ChainTold() => (_isUnderWay, _needsChain) = (false, false);

    /// <summary>The groups under way were answered. Answers come in the order of the messages, so that a tail never goes back.</summary>
    public void Answered(FollowerAnswer answer, ReplicaTail written)
    {
        _isUnderWay = false;
        switch (answer.Refusal)
        {
            case FollowerRefusal.TellChain:
                _needsChain = true;
                break;
            case FollowerRefusal.Ended or FollowerRefusal.OtherWriter:
                Ended = answer.Why;
                break;
            case var _ when answer.Tail.Offset > written.Offset:
                Ended = $"it holds up to offset {answer.Tail.Offset}, more than was written ({written.Offset})";
                break;
            case var _ when answer.Tail.Offset < Held.Offset:
                Ended = $"it held up to offset {Held.Offset} and now only up to {answer.Tail.Offset}: its file went back in time";
                break;
            default:
                (Held, _told, _isGreeted) = (answer.Tail, _telling, true);
                break;
        }
    }
}

/// <summary>A message to a follower.</summary>
internal abstract record FeedStep
{
    /// <summary>Groups from here on, and what is committed.</summary>
    public sealed record Send(ReplicaTail From, long Committed) : FeedStep;

    /// <summary>The chain that lists the segment.</summary>
    public sealed record TellChain : FeedStep;
}
