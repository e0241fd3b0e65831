using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using KawaOrleans.Tests.History;
using static KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation.SimulatedNodes;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Nodes with real segment files on simulated disks, one log of several replicas, a changer on every node, callers and readers. Calls
/// interleave at every message. Disks die with what was not synced, syncs fail, messages are lost, late, doubled and overtaken, links are cut,
/// nodes stop and go on, a directory is wiped, clocks jump. What a seed does, it does again.</summary>
internal sealed class ReplicationSimulation
{
    private const string Log = "orders";
    private const int MostSteps = 20_000;

    private readonly World _world;
    private readonly StoredRecords _stored = new();
    private readonly Checks _checks;
    private readonly List<SimulatedNode> _nodes = [];
    private readonly SimulatedNetwork _network;
    private readonly Trace? _trace;
    private readonly PlantedBug _bug;
    private readonly Dictionary<string, ChainChanger> _changers = [];
    private readonly List<Call> _calls = [];
    private readonly List<Chain> _seen = [];
    private readonly History _history = new();
    private readonly int _replicas;
    private readonly int _ackQuorum;
    private double _unrest;
    private bool _mayWipe;
    private bool _wiped;
    private Guid _logId;

    public ReplicationSimulation(int seed, PlantedBug bug = PlantedBug.None, Trace? trace = null)
    {
        (_world, _bug, _trace) = (new World(seed), bug, trace);
        _checks = new Checks(_stored, () => _nodes);
        (var count, _replicas, _ackQuorum) = _world.Random.Next(8) switch
        {
            0 => (3, 2, 2),
            1 => (3, 3, 3),
            2 => (3, 3, 1),
            3 or 4 => (5, 5, 3),
            5 => (4, 3, 2),
            _ => (3, 3, 2),
        };
        _mayWipe = _ackQuorum > 1 && _replicas > _ackQuorum;
        _nodes.AddRange(Enumerable.Range(0, count).Select(i => new SimulatedNode($"node-{(char)('a' + i)}", _world, _checks, bug)));
        _network = new SimulatedNetwork(_world, _nodes, bug, trace);
        _stored.OnSwapped = (before, next) =>
        {
            _trace?.Say($"STORE: chain {next.Version}: {string.Join(' ', next.Segments.Select(s => $"{Short(s.Id)}[{s.Base},{s.End})"))}");
            _checks.Swapped(before, next);
        };
    }

    public Checks Checks => _checks;

    /// <summary>Reads that saw something.</summary>
    public int Reads { get; private set; }

    /// <summary>The first promise or invariant that was broken, or null.</summary>
    public string? Run(int turns)
    {
        Begin();
        _world.IsStepped = true;
        _world.Loss = _world.Random.Next(3) switch { 0 => 0, 1 => 0.02, _ => 0.1 };
        _network.Trouble = _world.Random.Next(3) switch { 0 => 0, 1 => 0.03, _ => 0.12 };
        _unrest = _world.Random.Next(3) switch { 0 => 0.1, 1 => 0.3, _ => 0.8 };
        var disk = (_world.Random.Next(3) * 0.002, _world.Random.Next(3) * 0.002);
        _nodes.ForEach(node => node.DiskTrouble = disk);
        for (var turn = 0; turn < turns && _checks.Broken is null; turn++)
        {
            if (_trace is not null)
            {
                _trace.Turn = turn;
            }

            Turn();
        }

        return _checks.Broken ?? Settle();
    }

    private void Begin()
    {
        // Nothing waits yet, so that all of this completes at once.
        var changer = Changer(_nodes[0]);
        var cookie = Complete(changer.Join(default)).Cookie;
        _nodes.ForEach(node => node.Cookie = cookie);
        var chain = Complete(changer.CreateLog(Log, new LogOptions { SegmentBytes = Limits.MinSegmentBytes }, default));
        _logId = chain.LogId;

        // No public call makes such a log yet.
        _stored.Chains[Log] = _stored.Tagged(chain with { Options = chain.Options with { Replicas = _replicas, AckQuorum = _ackQuorum } });
        _trace?.Say($"{_nodes.Count} nodes, N = {_replicas}, A = {_ackQuorum}");
    }

    private void Turn()
    {
        switch (_world.Random.Next(200))
        {
            case < 110:
                for (var steps = _world.Random.Next(1, 12); steps > 0 && _world.Step(); steps--)
                {
                    Collect();
                }

                break;
            case < 150:
                Append();
                break;
            case < 165:
                Feed();
                break;
            case < 178:
                Read();
                break;
            case < 180 when _calls.Count < 6:
                OpenNext();
                break;
            case < 180 + 12:
                if (_world.Chance(_unrest))
                {
                    Fail();
                }

                break;
            case < 196:
                if (_world.Chance(_unrest))
                {
                    _network.Cut(Any().Name, Any().Name);
                }

                break;
            case < 199:
                _network.Mend();
                break;
            default:
                Any().MoveClock(TimeSpan.FromMilliseconds(_world.Random.Next(-2000, 3000)));
                break;
        }
    }

    private SimulatedNode Any() => _nodes[_world.Random.Next(_nodes.Count)];

    /// <summary>A node dies, stops or goes on.</summary>
    private void Fail()
    {
        var node = Any();
        if (!node.IsUp)
        {
            Start(node);
        }
        else if (node.IsPaused)
        {
            _trace?.Say($"{node.Name} goes on");
            node.IsPaused = false;
        }
        else if (_world.Chance(0.4))
        {
            _trace?.Say($"{node.Name} stands still");
            node.IsPaused = true;
        }
        else
        {
            _trace?.Say($"{node.Name} crashes");
            node.Crash();
            if (_mayWipe && _world.Chance(0.1))
            {
                _trace?.Say($"{node.Name} loses its directory");
                (_mayWipe, _wiped) = (false, true);
                node.Wipe();
            }
        }
    }

    private void Start(SimulatedNode node)
    {
        node.Start();
        _changers.Remove(node.Name);
        _trace?.Say($"{node.Name} {(node.IsUp ? "starts" : "dies while it starts")}: "
            + string.Join(' ', node.Segments.Values.Select(s => $"{Short(s.Header.Identity.Id)} {s.State} up to {s.Tail.Position}")));
    }

    private ChainChanger Changer(SimulatedNode node)
    {
        if (_changers.TryGetValue(node.Name, out var changer))
        {
            return changer;
        }

        var process = node.Process;
        IChainRecords records = new FakeRecords(_world, _stored, () => node.Process != process);
        records = _bug == PlantedBug.WritesBeforeTheChain ? new HastyRecords(records, Hasten) : records;
        return _changers[node.Name] = new ChainChanger(records, new SimulatedNodes(_network, node), _world.NewId);
    }

    /// <summary>The planted bug: the new segment is used before the swap that brings it in.</summary>
    private void Hasten(Chain next)
    {
        foreach (var member in next.WriteSegment?.Ensemble ?? [])
        {
            if (_network.Node(member.Name) is { IsUp: true, IsPaused: false } node)
            {
                _network.Do(node, "announce too early", found => new NodeAnswer<long>(found.Announce(next), null));
            }
        }

        Saw(next);
    }

    /// <summary>A caller asks some node for a segment to write to, with whatever it last saw of the log.</summary>
    private void OpenNext(Guid? after = null)
    {
        var node = Any();
        if (node is { IsUp: true, IsPaused: false })
        {
            after ??= _seen.Count == 0 || _world.Chance(0.3) ? null : _seen[_world.Random.Next(_seen.Count)].WriteSegment?.Id;
            _trace?.Say($"{node.Name} is asked for a segment after {(after is { } id ? Short(id) : "none")}");
            _calls.Add(new Call(node, node.Process, See(Changer(node).OpenWriteSegment(Log, after, 0, default))));
        }
    }

    private async Task See(Task<Chain> asked) => Saw(await asked);

    private void Saw(Chain chain)
    {
        _seen.Add(chain);
        _seen.RemoveRange(0, Math.Max(0, _seen.Count - 4));
    }

    /// <summary>A caller sends a batch to the writer it knows.</summary>
    private void Append()
    {
        if (_seen.Count == 0 || _seen[_world.Random.Next(_seen.Count)] is not { WriteSegment: { } segment })
        {
            OpenNext();
            return;
        }

        var events = Enumerable.Range(0, _world.Random.Next(1, 4)).Select(_ => new EventData(
            $"{segment.Id:N}-{_world.Random.Next(3)}", "placed", new byte[_world.Random.Next(40, 200)]) { Id = _world.NewId() }).ToList();
        _calls.Add(new Call(null, 0, Append(segment, events)));
    }

    private async Task Append(ChainSegment segment, List<EventData> events)
    {
        var append = _history.Append([.. events.Select(e => new GivenEvent(e.Id, e.Stream))]);
        var node = _network.Node(segment.Primary);
        do
        {
            await _world.Pause(static () => false);
        }
        while (node.IsPaused);

        if (!node.IsUp || _world.IsLost())
        {
            // The request was not heard: its caller does not know that.
            MaybeOpenNext(segment.Id);
            return;
        }

        var answer = _network.Do(node, $"append to {Short(segment.Id)}", found =>
        {
            var (opening, whyNot) = found.Open(_logId, segment.Id);
            if (opening is null)
            {
                _history.Refused(append);
            }

            return opening is null
                ? new NodeAnswer<long>(0, whyNot)
                : new NodeAnswer<long>(opening.Append(EventBatch.Encode(events), first => Acknowledged(opening, append, first)), null);
        });
        _trace?.Say($"append of {events.Count} to {Short(segment.Id)} on {node.Name}: {answer.Unknown ?? $"written at {answer.Value}"}");
        if (answer.IsKnown)
        {
            Feed(node.Openings.Single(opening => opening.Segment.Header.Identity.Id == segment.Id), tellCommitted: false);
        }
        else
        {
            MaybeOpenNext(segment.Id);
        }
    }

    private void Acknowledged(SimulatedOpening opening, RecordedAppend append, long first)
    {
        _trace?.Say($"ACKNOWLEDGED [{first}, {first + append.Events.Count}) of {Short(opening.Segment.Header.Identity.Id)}");
        _history.Acknowledged(append, first);
        _checks.Acknowledged(opening, first + append.Events.Count);
    }

    private void MaybeOpenNext(Guid after)
    {
        if (_calls.Count < 6 && _world.Chance(0.5))
        {
            OpenNext(after);
        }
    }

    /// <summary>The primaries send what is to be sent: after every write, and again where no answer came.</summary>
    private void Feed()
    {
        foreach (var opening in _nodes.Where(node => node is { IsUp: true, IsPaused: false }).SelectMany(node => node.Openings).ToList())
        {
            Feed(opening, tellCommitted: true);
            if (opening.Rules.CannotCommit is not null)
            {
                MaybeOpenNext(opening.Segment.Header.Identity.Id);
            }
        }
    }

    private void Feed(SimulatedOpening opening, bool tellCommitted)
    {
        for (var follower = 0; follower < opening.Rules.Followers; follower++)
        {
            if (opening.Rules.Next(follower, tellCommitted) is { } step)
            {
                _calls.Add(new Call(opening.Node, opening.Node.Process, Feed(opening, follower, step)));
            }
        }
    }

    private async Task Feed(SimulatedOpening opening, int follower, FeedStep step)
    {
        var name = opening.Chain.Segments.Single(segment => segment.Id == opening.Segment.Header.Identity.Id).Ensemble[follower + 1].Name;
        var isHeard = false;
        switch (step)
        {
            case FeedStep.TellChain:
                var told = await _network.Ask(opening.Node, name, $"announce chain {opening.Chain.Version}",
                    found => new NodeAnswer<long>(found.Announce(opening.Chain), null));
                opening.Rules.ChainTold(follower, told);
                isHeard = told.IsKnown;
                break;
            case FeedStep.Send send:
                var message = opening.Message(send);
                var groups = opening.Segment.ReadGroups(send.From.Offset, _world.Random.Next(100, 1500)).ToArray();
                var answer = await _network.Ask(opening.Node, name,
                    $"groups of {Short(message.SegmentId)} from {send.From.Position}, committed {send.Committed}",
                    found => new NodeAnswer<FollowerAnswer>(found.Follow(message, groups), null));
                opening.Answered(follower, answer);
                isHeard = answer.IsKnown;
                break;
        }

        // Whoever does not answer is tried again later.
        if (isHeard)
        {
            Feed(opening, tellCommitted: false);
        }
    }

    /// <summary>Someone reads what some node knows to be committed.</summary>
    private void Read()
    {
        var node = Any();
        if (node is not { IsUp: true, IsPaused: false } || node.Saved(_logId)?.Segments is not { Count: > 0 } segments)
        {
            return;
        }

        var segment = segments[_world.Chance(0.6) ? segments.Count - 1 : _world.Random.Next(segments.Count)];
        var from = segment.Base + (_world.Chance(0.5) ? 0 : _world.Random.Next(20));
        var read = _history.Read(from);
        var found = _network.Do(node, $"read {Short(segment.Id)}", here => new NodeAnswer<IReadOnlyList<RecordedEvent>>(here.Read(segment.Id, from, 8), null));
        if (found is { IsKnown: true, Value: { Count: > 0 } events })
        {
            Reads++;
            _trace?.Say($"read of {Short(segment.Id)} on {node.Name}: [{from}, {from + events.Count})");
            _history.Saw(read, [.. events.Select(e => e.Id)], toTheEnd: false);
        }
    }

    private void Collect()
    {
        _calls.RemoveAll(call => call.Node is { } node && node.Process != call.Process && !call.Task.IsFaulted);
        foreach (var call in _calls.Where(call => call.Task.IsCompleted).ToList())
        {
            _calls.Remove(call);
            switch (call.Task.Exception?.InnerException)
            {
                case null or LogNotWritableException or NodeUnavailableException or ChainStoreException { Problem: ChainStoreProblem.Away }:
                    break;
                case SegmentFaultedException two:
                    _checks.Require(false, "P8", two.Message);
                    break;
                case var e:
                    throw new InvalidOperationException($"A call failed: {e}", e);
            }
        }
    }

    /// <summary>Every node returns and nothing fails any more: the log is written again, and holds what was promised.</summary>
    private string? Settle()
    {
        _trace?.Say("everything returns");
        (_world.Loss, _network.Trouble) = (0, 0);
        _network.Mend();
        foreach (var node in _nodes)
        {
            (node.DiskTrouble, node.IsPaused) = ((0, 0), false);
            if (node.IsUp)
            {
                // What a failed sync left behind is known only after a restart.
                node.Crash();
            }

            Start(node);
        }

        for (var steps = 0; _world.Step(); steps++)
        {
            Collect();
            if (steps > MostSteps)
            {
                return $"liveness: all is well, and after {MostSteps} steps messages still go to and fro";
            }
        }

        Collect();
        _world.IsStepped = false;
        for (var roll = 0; roll < 2 && _checks.Broken is null; roll++)
        {
            var chain = Complete(Changer(_nodes[0]).OpenWriteSegment(Log, _stored.Chains[Log].Value.WriteSegment?.Id, 0, default));
            Saw(chain);
            _nodes.ForEach(node => node.Announce(chain));
            _seen.RemoveRange(0, _seen.Count - 1);
            Append();
            Feed();
            Collect();
            _checks.Require(_checks.Broken is not null || _history.Appends.Last().Outcome == Outcome.Acknowledged, "liveness", "all is well and an append is not acknowledged");
        }

        _checks.Replicas();
        return _checks.Broken ?? Final();
    }

    private string? Final()
    {
        var chain = Complete(Changer(_nodes[0]).OpenWriteSegment(Log, _stored.Chains[Log].Value.WriteSegment?.Id, 0, default));
        _nodes.ForEach(node => node.Announce(chain));
        var log = new List<FinalEvent>();
        var time = 0L;
        foreach (var segment in chain.Segments.Where(segment => !segment.IsOpen))
        {
            var whole = _nodes.Where(node => segment.Ensemble.Contains(node.Node) && node.Segments.TryGetValue(segment.Id, out var replica)
                && replica.State == SegmentState.Sealed).ToList();
            if (whole.Count == 0 && _wiped && _checks.EndedOnOne.Contains(segment.Id))
            {
                // The one disk that had it all is the one that was lost: more than the log was made to bear.
                return null;
            }

            if (whole.Count == 0)
            {
                return $"P11: segment {Short(segment.Id)} [{segment.Base}, {segment.End}) is on no node";
            }

            foreach (var e in whole[0].Read(segment.Id, segment.Base, int.MaxValue))
            {
                _checks.Require(e.Recorded.UtcTicks >= time, "P7", $"the time of {e.Position} lies before the one before it");
                time = e.Recorded.UtcTicks;
                log.Add(FinalEvent.Of(e));
            }
        }

        return _checks.Broken ?? HistoryCheck.Find(_history, log).Select(violation => violation.ToString()).FirstOrDefault();
    }

    private static T Complete<T>(Task<T> task)
    {
        Assert.True(task.IsCompleted);
        return task.GetAwaiter().GetResult();
    }

    private sealed record Call(SimulatedNode? Node, int Process, Task Task);

    private sealed class HastyRecords(IChainRecords records, Action<Chain> hasten) : IChainRecords
    {
        public Task<Versioned<Chain>?> ReadChain(string logName, CancellationToken cancellation) => records.ReadChain(logName, cancellation);

        public Task<Versioned<Chain>?> SwapChain(string logName, Versioned<Chain>? expected, Chain next, CancellationToken cancellation)
        {
            hasten(next);
            return records.SwapChain(logName, expected, next, cancellation);
        }

        public Task<bool> RemoveChain(string logName, Versioned<Chain> expected, CancellationToken cancellation) => records.RemoveChain(logName, expected, cancellation);

        public Task<Versioned<Catalogue>?> ReadCatalogue(CancellationToken cancellation) => records.ReadCatalogue(cancellation);

        public Task<Versioned<Catalogue>?> SwapCatalogue(Versioned<Catalogue>? expected, Catalogue next, CancellationToken cancellation) =>
            records.SwapCatalogue(expected, next, cancellation);
    }
}
