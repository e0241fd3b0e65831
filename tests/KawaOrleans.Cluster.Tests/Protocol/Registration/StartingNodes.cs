using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol.Registration;

/// <summary>A chain store with one node's record, and data directories whose processes start in any order, die anywhere and lose answers.</summary>
internal sealed class StartingNodes(EveryOrder order, int mishaps)
{
    public const string Name = "node-1";

    private readonly List<Action> _late = [];
    private int _mishaps = mishaps;
    private int _tags;
    private int _tokens;

    public Catalogue Catalogue { get; set; } = new() { Cookie = new Guid("c0000000-0000-0000-0000-000000000000"), Logs = new Dictionary<string, Guid>(), Deleted = [] };

    public Versioned<NodeRecord>? Record { get; set; }

    public List<StartingDirectory> Directories { get; } = [];

    public Guid NewToken() => new(++_tokens, 0, 0, new byte[8]);

    public StartingDirectory Add(Guid id, params IReadOnlyList<NodeRecord> starts)
    {
        var directory = new StartingDirectory(this, new ChainNode(Name, id)) { Starts = starts, Cookie = starts.Count > 0 ? Catalogue.Cookie : null };
        Directories.Add(directory);
        return directory;
    }

    /// <summary>Starts the processes and lets them take turns until all have ended their start.</summary>
    public void RunAll()
    {
        foreach (var directory in Directories.Where(directory => directory.Process is null))
        {
            directory.Start();
        }

        while (Directories.Where(directory => directory.CanGoOn).ToList() is { Count: > 0 } waiting)
        {
            var choices = waiting.Select(directory => (Action)directory.Step).ToList();
            choices.AddRange(_late.Select(late => (Action)(() =>
            {
                _late.Remove(late);
                late();
            })));
            if (_mishaps > 0)
            {
                choices.AddRange(waiting.Select(directory => (Action)(() =>
                {
                    _mishaps--;
                    directory.Start(); // killed, and started again
                })));
            }

            choices[order.Pick(choices.Count)]();
        }
    }

    public Versioned<NodeRecord>? Swap(Versioned<NodeRecord>? expected, NodeRecord next)
    {
        switch (_mishaps > 0 ? order.Pick(4) : 0)
        {
            case 1:
                _mishaps--;
                throw Away("the request was lost");
            case 2:
                _mishaps--;
                Apply(expected, next);
                throw Away("the answer was lost");
            case 3:
                _mishaps--;
                _late.Add(() => Apply(expected, next));
                throw Away("it took effect later");
            default:
                return Apply(expected, next) ? Record : null;
        }
    }

    public void Set(NodeRecord record) => Record = new Versioned<NodeRecord>(record, $"tag {++_tags}");

    private bool Apply(Versioned<NodeRecord>? expected, NodeRecord next)
    {
        if (expected?.Tag != Record?.Tag)
        {
            return false;
        }

        Set(next);
        return true;
    }

    private static ChainStoreException Away(string why) => new(ChainStoreProblem.Away, why);
}

/// <summary>One data directory and the process that runs on it now.</summary>
internal sealed class StartingDirectory(StartingNodes world, ChainNode self) : INodeRecords
{
    private int _process;
    private TaskCompletionSource? _gate;

    public ChainNode Self => self;

    public Guid? Cookie { get; set; }

    public IReadOnlyList<NodeRecord> Starts { get; set; } = [];

    public Task? Process { get; private set; }

    /// <summary>Processes that were told that they may vote.</summary>
    public List<int> Voted { get; } = [];

    public NodeRefusal? Refused { get; private set; }

    public bool IsWhole => Voted.Contains(_process);

    public bool CanGoOn => _gate is not null;

    /// <summary>Ends the process there is, wherever it is, and starts another.</summary>
    public void Start()
    {
        (_gate, Refused) = (null, null);
        var process = ++_process;
        Process = Register(process, new NodeRegistration(this, () => new NodeDirectory(self, Cookie, Starts), Keep, world.NewToken));
    }

    public void Step()
    {
        var gate = _gate!;
        _gate = null;
        gate.SetResult();
    }

    public async Task<Versioned<NodeRecord>?> ReadNode(string node, CancellationToken cancellation)
    {
        await Turn();
        return world.Record;
    }

    public async Task<Versioned<NodeRecord>?> SwapNode(string node, Versioned<NodeRecord>? expected, NodeRecord next, CancellationToken cancellation)
    {
        await Turn();
        return world.Swap(expected, next);
    }

    private async Task Keep(IReadOnlyList<NodeRecord> starts)
    {
        await Turn();
        Starts = starts;
    }

    private async Task Register(int process, NodeRegistration registration)
    {
        while (true)
        {
            try
            {
                await registration.Register(world.Catalogue, default);
                Cookie = world.Catalogue.Cookie;
                Voted.Add(process);
                return;
            }
            catch (ChainStoreException away) when (away.Problem == ChainStoreProblem.Away)
            {
                // As the shell does: again.
            }
            catch (NodeRefusedException refused)
            {
                Refused = refused.Refusal;
                return;
            }
        }
    }

    /// <summary>A process that was ended meanwhile never comes back from here.</summary>
    private Task Turn()
    {
        var gate = new TaskCompletionSource();
        _gate = gate;
        return gate.Task;
    }
}
