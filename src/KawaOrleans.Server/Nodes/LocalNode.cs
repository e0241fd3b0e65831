using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Nodes;

/// <summary>What a chain change asks of this node. All of it is blocking file work.</summary>
internal sealed partial class LocalNode(NodeHost host, WriterStandings standings, TimeProvider time, ILogger<LocalNode> logger)
{
    // The seal and what follows it, the footer, take the disk from the first appends to the next segment.
    private static readonly TimeSpan SealAfter = TimeSpan.FromMilliseconds(50);

    private const int MaxGroupsBytes = 1024 * 1024;

    // Announcements of one log are taken one after another, so that an older one never undoes what a newer one decided.
    private readonly Lock[] _announcing = Locks();

    // A roll that comes while the log's next file is being made waits for that one instead of making a second beside it.
    private readonly Lock[] _making = Locks();

    /// <summary>The replica here, or null.</summary>
    public Segment? Find(Guid segmentId) => host.Store.TryGet(segmentId, 0, out var segment) ? segment : null;

    /// <summary>Why <see cref="Find"/> finds nothing, in one sentence.</summary>
    public string WhyNotFound(Guid segmentId) =>
        host.Store.Untrusted.FirstOrDefault(file => file.SegmentId == segmentId) is { } untrusted
            ? $"{untrusted.Path} cannot be trusted: {untrusted.Problem}"
            : $"node '{host.Name}' has no file of segment {segmentId:N}";

    public NodeReport Report()
    {
        var store = host.Store;
        var open = store.Segments.Count(segment => segment.State is SegmentState.Prepared or SegmentState.Open);
        return new NodeReport(Self(store), store.Identity.Cookie ?? Guid.Empty, store.FreeBytes, open, store.ToDirectory().Starts is [var registered, ..] ? registered : null);
    }

    public Prepared Prepare(NewSegment segment)
    {
        RequireVote();
        var store = host.Store;
        if (segment.WhyNotOn(Self(store), host.Chains.Of(segment.LogId)?.Version ?? 0) is { } reason)
        {
            throw new StorageException(reason);
        }

        lock (Of(_making, segment.LogId))
        {
            store.Create(segment.ToHeader());
        }

        LogPrepared(segment.Segment.Id, segment.LogName, segment.Segment.Base, segment.Segment.FileBytes);
        return new Prepared(Self(store));
    }

    /// <summary>How a segment that is written here stands; see <see cref="INodes.Standing"/>.</summary>
    public WriterStanding Standing(Guid segmentId, int generation)
    {
        var segment = Get(host.Store, segmentId, generation);
        var reason = standings.Ask(segmentId, out var isWritten);
        return new WriterStanding(segment switch
        {
            { Poisoned: { } poison } => $"{segment.Path}: {poison}",
            { State: SegmentState.Fenced or SegmentState.Sealed } => $"{segment.Path} is {segment.State}",
            { State: SegmentState.Open } when !isWritten => $"{segment.Path} was opened by a writer that is gone",
            _ => reason,
        })
        {
            IsAcknowledged = standings.HasAcknowledged(segmentId, segment.Tail.Position),
        };
    }

    /// <summary>Has the file that the log's next segment will take made in the background.</summary>
    public void BeginSpare(Guid logId, Guid segmentId, long bytes) =>

        // On a thread of its own: writing a file through takes long, and grains and appends wait for the pool.
        _ = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    lock (Of(_making, logId))
                    {
                        host.Store.PrepareSpare(logId, segmentId, bytes);
                    }

                    host.Store.WriteSpareThrough(logId);
                    LogSpare(logId, bytes);
                }
                catch (Exception e) when (e is IOException or NodeUnavailableException or ObjectDisposedException)
                {
                    LogNoSpare(logId, bytes, e.Message);
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public FencedTail Fence(Guid logId, Guid segmentId, int generation)
    {
        RequireVote();
        var store = host.Store;
        var segment = Get(store, segmentId, generation);
        var version = host.Chains.Of(logId)?.Version ?? 0;
        var tail = segment.State == SegmentState.Sealed ? segment.Tail : segment.Fence(version);
        LogFenced(segmentId, segment.Header.LogName, tail.Position);
        return new FencedTail(tail.Position, tail.LastTimestamp, segment.OpeningId, version) { IsAcknowledged = standings.HasAcknowledged(segmentId, tail.Position) };
    }

    /// <summary>Takes what a primary sends a replica here, if the rules let it; answers what it holds then, synced.</summary>
    public FollowerAnswer Follow(FollowerAppend append, ReadOnlyMemory<byte> groups)
    {
        RequireVote();
        var segment = Get(host.Store, append.SegmentId, append.Generation);
        var standing = new FollowerStanding(segment.State.ToReplicaState(), segment.Header.Identity.Epoch, segment.OpeningId, segment.Tail.ToReplicaTail());
        var verdict = FollowerVerdict.On(append, standing, host.Chains.Of(append.LogId), host.Name);
        if (verdict is FollowerVerdict.Refuse refusal)
        {
            return new FollowerAnswer(segment.OpeningId, standing.Tail, refusal.Refusal, refusal.Why);
        }

        try
        {
            var tail = verdict is FollowerVerdict.Take
                ? segment.OpenReplica().Follow(append.OpeningId, append.From.Position, append.From.Offset, groups).ToReplicaTail()
                : standing.Tail;
            segment.Learn(append.Committed);
            return new FollowerAnswer(segment.OpeningId, tail, FollowerRefusal.None, null);
        }
        catch (WriterFencedException e)
        {
            // Fenced between the two, or in the middle of it.
            return new FollowerAnswer(segment.OpeningId, segment.Tail.ToReplicaTail(), FollowerRefusal.Ended, e.Message);
        }
    }

    /// <summary>See <see cref="Segment.ReadGroups"/>.</summary>
    public Block ReadGroups(Guid segmentId, int generation, long offset) =>
        new(Get(host.Store, segmentId, generation).ReadGroups(offset, MaxGroupsBytes));

    /// <summary>What a fenced replica holds once it took these groups, if they begin at its tail; see <see cref="ReplicaWriter.Complete"/>.</summary>
    public Tail Complete(Guid segmentId, int generation, Tail from, ReadOnlyMemory<byte> groups)
    {
        RequireVote();
        return Get(host.Store, segmentId, generation).OpenReplica().Complete(from.Position, from.Offset, groups);
    }

    /// <summary>See <see cref="Segment.Remember"/>.</summary>
    public byte[] Remember(Guid segmentId, int generation, long from, long to) => Get(host.Store, segmentId, generation).Remember(from, to);

    /// <summary>See <see cref="NodeStore.HasHeadsBefore"/>.</summary>
    public bool HasHeadsBefore(SegmentHeader header) => host.Store.HasHeadsBefore(header);

    /// <summary>The runs of heads of a log up to the end of one of its segments, which was written here.</summary>
    public IReadOnlyList<HeadRunPart> HeadRuns(Guid logId, Guid upTo)
    {
        var store = host.Store;
        var segment = Get(store, upTo, 0);
        if (segment.State != SegmentState.Sealed)
        {
            throw new StorageException($"{segment.Path}: it is not sealed yet, so the heads of its streams are not settled. Repeat.");
        }

        return [.. store.HeadRuns(logId).Select(static run => new HeadRunPart(run.From, run.To, run.Bytes))];
    }

    /// <summary>See <see cref="NodeStore.ReadHeadRun"/>.</summary>
    public byte[] ReadHeads(Guid logId, long from, long to, long offset, int count) => host.Store.ReadHeadRun(logId, from, to, offset, count);

    /// <summary>See <see cref="NodeStore.ReceiveHeadRun"/>.</summary>
    public HeadRunCopy? ReceiveHeads(Guid logId, long from, long to, long bytes) => host.Store.ReceiveHeadRun(logId, new HeadRunFile(from, to, bytes));

    /// <summary>Keeps the chain, then makes the replicas here agree with the newest one kept. One that reaches its end answers for all of it at once, and
    /// is sealed a little later where nothing waits for that.</summary>
    public long Announce(Chain chain)
    {
        var store = host.Store;
        lock (Of(_announcing, chain.LogId))
        {
            var newest = host.Chains.Keep(store, chain);
            foreach (var segment in store.Segments)
            {
                if (segment.Header.LogId == newest.LogId)
                {
                    TryFollow(store, segment, newest, mayWait: true);
                }
            }

            return newest.Version;
        }
    }

    /// <summary>The same; answers the newest chain kept, which the node may take a replica by.</summary>
    public Chain Learn(Chain chain)
    {
        RequireVote();
        Announce(chain);
        return host.Chains.Of(chain.LogId)!;
    }

    /// <summary>What is here of a segment, and how far it reaches.</summary>
    public (ReplicaState State, long Tail) Here(ChainSegment segment)
    {
        var store = host.Store;
        if (store.Untrusted.FirstOrDefault(file => file.SegmentId == segment.Id) is { } untrusted)
        {
            return (untrusted.ToReplicaState(), 0);
        }

        return store.TryGet(segment.Id, segment.Generation, out var found) ? (found!.State.ToReplicaState(), found.Tail.Position) : (ReplicaState.Missing, 0);
    }

    /// <summary>Sets aside all files of a deleted log.</summary>
    public void Forget(Guid logId)
    {
        var store = host.Store;
        foreach (var segment in store.Segments)
        {
            if (segment.Header.LogId == logId)
            {
                TrySetAside(store, segment, "its log was deleted");
            }
        }
    }

    private static Lock[] Locks() => [.. Enumerable.Range(0, 16).Select(_ => new Lock())];

    private static Lock Of(Lock[] locks, Guid logId) => locks[unchecked((uint)logId.GetHashCode()) % locks.Length];

    /// <summary>One replica that fails says nothing more until a restart. The chain is kept all the same, and the others follow it.</summary>
    private void TryFollow(NodeStore store, Segment segment, Chain newest, bool mayWait)
    {
        try
        {
            Follow(store, segment, newest, mayWait);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Damage met now, or when it was completed, which left it poisoned.
            if ((e as SegmentDamagedException ?? e.InnerException as SegmentDamagedException) is { } damage)
            {
                // Its segment has ended and it cannot be sealed: it is copied anew.
                store.Distrust(segment, damage);
            }

            host.ReportFault(segment.Header.Identity.Id, e.Message);
            LogNotFollowed(segment.Header.Identity.Id, newest.Version, newest.LogName, e.Message);
        }
    }

    private void Follow(NodeStore store, Segment segment, Chain newest, bool mayWait)
    {
        var identity = segment.Header.Identity;
        switch (ReplicaDuty.Under(newest, identity.Id, identity.Generation, segment.Header.ChainVersion, segment.State.ToReplicaState(), store.Identity.Id))
        {
            case ReplicaDuty.SetAside away:
                SetAside(store, segment, away.Why);
                break;
            case ReplicaDuty.Seal seal when mayWait && segment.Tail.Position >= seal.End && IsWrittenNoMore(segment, newest):
                segment.Learn(seal.End);
                _ = SealLater(store, segment);
                break;
            case ReplicaDuty.Seal seal:
                Seal(segment, newest, seal.End);
                break;
        }
    }

    /// <summary>True of a replica that is fenced, and of a follower's, which takes nothing once this node keeps the chain that ends it. Who goes on writing
    /// here needs it fenced at once, for the heads of its streams.</summary>
    private bool IsWrittenNoMore(Segment segment, Chain newest) => segment.State == SegmentState.Fenced
        || (newest.WriteSegment is { } next && next.Primary != host.Name
            && newest.Segments.First(listed => listed.Id == segment.Header.Identity.Id).Primary != host.Name);

    /// <summary>The chain that is kept says where it ended: a process that dies meanwhile seals it when it is back.</summary>
    private async Task SealLater(NodeStore store, Segment segment)
    {
        await Task.Delay(SealAfter, time);
        await Task.Run(() =>
        {
            lock (Of(_announcing, segment.Header.LogId))
            {
                var identity = segment.Header.Identity;
                if (host.IsOpen && host.Chains.Of(segment.Header.LogId) is { } newest && store.TryGet(identity.Id, identity.Generation, out _))
                {
                    TryFollow(store, segment, newest, mayWait: false);
                }
            }
        });
    }

    private void Seal(Segment segment, Chain newest, long end)
    {
        var tail = segment.State == SegmentState.Fenced ? segment.Tail : segment.Fence(newest.Version);
        if (tail.Position >= end)
        {
            segment.Seal(end);
            standings.Remove(segment.Header.Identity.Id);
            if (newest.WriteSegment is { } next && next.Primary != host.Name)
            {
                // The log is written elsewhere now: nobody here comes for it.
                segment.TakeMemory();
            }

            LogSealed(segment.Header.Identity.Id, newest.LogName, end);
        }
        else
        {
            LogShort(segment.Header.Identity.Id, newest.LogName, tail.Position, end);
            host.FoundShort();
        }
    }

    private void TrySetAside(NodeStore store, Segment segment, string reason)
    {
        try
        {
            SetAside(store, segment, reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays where it is until the next start.
            host.ReportFault(segment.Header.Identity.Id, e.Message);
            LogNotSetAside(segment.Header.Identity.Id, segment.Header.LogName, e.Message);
        }
    }

    private void SetAside(NodeStore store, Segment segment, string reason)
    {
        store.SetAside(segment, reason);
        LogSetAside(segment.Header.Identity.Id, segment.Path, reason);
    }

    private Segment Get(NodeStore store, Guid segmentId, int generation)
    {
        if (store.TryGet(segmentId, generation, out var segment))
        {
            return segment!;
        }

        throw new StorageException(WhyNotFound(segmentId));
    }

    /// <summary>What this directory says may be out of date or belong elsewhere until the node is registered: nothing may rest on it.</summary>
    private void RequireVote()
    {
        if (host.WhyNotVoting is { } reason)
        {
            throw new StorageException($"node '{host.Name}' does not vote: {reason}");
        }
    }

    private ChainNode Self(NodeStore store) => new(host.Name, store.Identity.Id);
}
