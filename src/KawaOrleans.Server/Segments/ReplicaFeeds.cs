using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Orleans.Runtime;

namespace KawaOrleans.Server.Segments;

/// <summary>Shell around <see cref="ReplicatedOpening"/>: sends followers what the rules say, one loop for each, and tells when what was written is
/// acknowledged. Ends with the segment, or when it is disposed.</summary>
internal sealed class ReplicaFeeds : IAsyncDisposable
{
    private const int MaxGroupsBytes = 1024 * 1024;

    // A follower's readers learn of an idle log's last events about then.
    private static readonly TimeSpan TellCommittedAfter = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ReplicatedOpening _rules;
    private readonly Segment _segment;
    private readonly Chain _chain;
    private readonly IReadOnlyList<ChainNode> _followers;
    private readonly NodesClient _nodes;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationToken _closed;
    private readonly Task _feeding;

    // The silos that answered last.
    private readonly SiloAddress?[] _told;
    private TaskCompletionSource _changed = NewSignal();
    private string? _stalled;

    /// <param name="segment">The primary's replica, just opened.</param>
    /// <param name="chain">The chain that lists it as open.</param>
    /// <param name="openingId">The opening.</param>
    /// <param name="start">The replica's tail before its first append.</param>
    /// <param name="nodes">The way to the followers.</param>
    /// <param name="time">For pauses.</param>
    public ReplicaFeeds(Segment segment, Chain chain, Guid openingId, Tail start, NodesClient nodes, TimeProvider time)
    {
        (_segment, _chain, _nodes, _time, _closed) = (segment, chain, nodes, time, _closing.Token);
        var listed = chain.Segments.Single(entry => entry.Id == segment.Header.Identity.Id);
        _followers = [.. listed.Ensemble.Skip(1)];
        _told = new SiloAddress?[_followers.Count];
        _rules = new ReplicatedOpening(listed, openingId, start.ToReplicaTail());
        _feeding = Task.WhenAll(Enumerable.Range(0, _rules.Followers).Select(follower => Task.Run(() => Feed(follower))));
    }

    /// <summary>Why the segment is to be ended: nothing more can be acknowledged, or nothing was for as long as somebody waited. Null while it
    /// goes on.</summary>
    public string? WhyEnd
    {
        get
        {
            lock (_gate)
            {
                return _rules.CannotCommit ?? _stalled;
            }
        }
    }

    /// <summary>The position behind the last acknowledged event.</summary>
    public long Committed
    {
        get
        {
            lock (_gate)
            {
                return _rules.Committed;
            }
        }
    }

    /// <summary>Waits until everything below a position, which is synced here, is acknowledged; answers why it is not known whether it
    /// ever will be.</summary>
    public async Task<string?> WaitAsync(long position, TimeSpan patience)
    {
        var started = _time.GetTimestamp();
        lock (_gate)
        {
            Acknowledge(_rules.Wrote(_segment.Tail.ToReplicaTail()));
        }

        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
                if (_rules.Committed >= position)
                {
                    return null;
                }

                if (_rules.CannotCommit is { } reason)
                {
                    return reason;
                }
            }

            var left = patience - _time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || !await Within(changed, left))
            {
                lock (_gate)
                {
                    return _stalled = $"fewer than {_segment.Header.AckQuorum} of its {_segment.Header.Ensemble.Count} nodes hold it within {patience.TotalSeconds:0.#} s";
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _feeding;
        _closing.Dispose();
    }

    private async Task Feed(int follower)
    {
        var pause = FirstPause;
        try
        {
            while (await Next(follower) is { } step)
            {
                if (await Take(follower, step))
                {
                    pause = FirstPause;
                    continue;
                }

                await Task.Delay(pause, _time, _closed);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    /// <summary>The next message, once there is one; null when there never will be.</summary>
    private async Task<FeedStep?> Next(int follower)
    {
        for (var tellCommitted = false; _segment.State != SegmentState.Sealed;)
        {
            Task changed;
            lock (_gate)
            {
                if (_rules.HasEnded(follower))
                {
                    return null;
                }

                if (_told[follower] is { } told && _nodes.SiloOf(_followers[follower].Name) is { } now && !now.Equals(told))
                {
                    _rules.Restarted(follower);
                }

                changed = _changed.Task;
                if (_rules.Next(follower, tellCommitted) is { } step)
                {
                    return step;
                }
            }

            // Looks up now and then, because nobody says here that the segment was sealed, or that a follower's process is another one.
            tellCommitted = !await Within(changed, tellCommitted ? LongestPause : TellCommittedAfter);
        }

        return null;
    }

    /// <summary>Sends a message and takes the answer; false when there was none.</summary>
    private async Task<bool> Take(int follower, FeedStep step)
    {
        var node = _followers[follower].Name;
        if (step is FeedStep.Send send)
        {
            var silo = _nodes.SiloOf(node);
            var answer = await Send(node, send);
            lock (_gate)
            {
                _told[follower] = answer.IsKnown ? silo : _told[follower];

                // The file is written beside this: what was sent from it may reach beyond the last write that was told here.
                var wrote = _rules.Wrote(_segment.Tail.ToReplicaTail());
                Acknowledge(_rules.Answered(follower, answer) | wrote);
            }

            return answer.IsKnown;
        }

        var told = await _nodes.Announce(node, _chain, _closed);
        lock (_gate)
        {
            _rules.ChainTold(follower, told);
        }

        return told.IsKnown;
    }

    private async Task<NodeAnswer<FollowerAnswer>> Send(string node, FeedStep.Send send)
    {
        var identity = _segment.Header.Identity;
        var append = new FollowerAppend
        {
            LogId = _chain.LogId, SegmentId = identity.Id, Generation = identity.Generation, Epoch = identity.Epoch,
            OpeningId = _rules.OpeningId, From = send.From, Committed = send.Committed,
        };
        try
        {
            // The map outlives the message that is written from it.
            return await _nodes.Follow(node, append, new Block(_segment.ReadGroups(send.From.Offset, MaxGroupsBytes)), _closed);
        }
        catch (StorageException e)
        {
            return new NodeAnswer<FollowerAnswer>(null, e.Message);
        }
    }

    /// <summary>Tells readers what is acknowledged, and everyone who waits that something changed. Under the gate.</summary>
    private void Acknowledge(bool moved)
    {
        if (moved)
        {
            _stalled = null;
            _segment.Learn(_rules.Committed);
        }

        _changed.SetResult();
        _changed = NewSignal();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<bool> Within(Task changed, TimeSpan wait)
    {
        try
        {
            await changed.WaitAsync(wait, _time, _closed);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
