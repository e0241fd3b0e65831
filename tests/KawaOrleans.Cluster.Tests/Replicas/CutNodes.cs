using System.Collections.Concurrent;
using KawaOrleans.Server.Nodes;
using Orleans.Runtime;

namespace KawaOrleans.Cluster.Tests.Replicas;

/// <summary>Cuts nodes off: calls to them are not answered, and nobody's membership ever notices. For the client and for the silos alike, so a node that
/// is cut off is as good as dead for readers; appends and what keeps replicas alike can be left alone.</summary>
internal sealed class CutNodes : IOutgoingGrainCallFilter
{
    private static readonly HashSet<string> Appends = [nameof(ISegmentGrain.Append), nameof(ISegmentGrain.Flush)];

    /// <summary>What does not tell a node anything of a log.</summary>
    private static readonly HashSet<string> Questions =
    [
        nameof(INodeService.Report), nameof(INodeService.Standing), nameof(INodeService.PrepareSpare), nameof(INodeService.Prepare), nameof(INodeService.Fence),
        nameof(INodeService.ReadGroups), nameof(INodeService.Inventory), nameof(INodeService.Replicas), nameof(INodeService.Remember), nameof(INodeService.HeadRuns),
        nameof(INodeService.ReadHeads), nameof(INodeService.Describe),
    ];

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _readers = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _untold = new();

    /// <summary>The address of each silo by its node's name, as keys of node services hold it.</summary>
    public ConcurrentDictionary<string, string> Addresses { get; } = new();

    /// <summary>Readers get no answer from these nodes.</summary>
    public ICollection<string> Silent => _readers.Keys;

    /// <summary>Of each read of a segment that is sent: the node asked.</summary>
    public Action<string> Asked { get; set; } = static _ => { };

    /// <summary>True for a node cut off from readers to be as good as dead to the silos too, so that no new segment is put there.</summary>
    public bool LooksDead { get; set; } = true;

    public void FromReaders(string node) => _readers.TryAdd(node, new TaskCompletionSource());

    /// <summary>The node is told nothing by others, neither events nor chains, and gets no events when it asks for them.</summary>
    public void FromPrimaries(string node) => _untold.TryAdd(node, new TaskCompletionSource());

    /// <summary>Readers get answers from this node again.</summary>
    public void Hear(string node)
    {
        if (_readers.TryRemove(node, out var healed))
        {
            healed.TrySetResult();
        }
    }

    public void Heal()
    {
        Heal(_readers);
        Heal(_untold);
    }

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        if (context.InterfaceMethod.DeclaringType == typeof(ISegmentGrain) && !Appends.Contains(context.MethodName))
        {
            context.TargetId.TryGetGuidKey(out _, out var node);
            Asked(node!);
            await Answered(_readers, node!);
        }
        else if (context.InterfaceMethod.DeclaringType == typeof(INodeService))
        {
            var key = context.TargetId.Key.ToString()!;
            var node = Addresses.FirstOrDefault(silo => key.Contains(silo.Value, StringComparison.Ordinal)).Key ?? "";
            var tells = !Questions.Contains(context.MethodName);
            await Answered(tells ? _untold : _readers, tells || (LooksDead && context.MethodName is nameof(INodeService.Report)) ? node : "");
        }

        await context.Invoke();
    }

    /// <summary>Before a call by a silo.</summary>
    public Task AskedBy(string node, IOutgoingGrainCallContext context) =>
        context.MethodName is nameof(INodeService.ReadGroups) ? Answered(_untold, node) : Task.CompletedTask;

    private static async Task Answered(ConcurrentDictionary<string, TaskCompletionSource> cut, string node)
    {
        if (cut.TryGetValue(node, out var healed))
        {
            await healed.Task;
            throw new TimeoutException($"node '{node}' was cut off when it was called");
        }
    }

    private static void Heal(ConcurrentDictionary<string, TaskCompletionSource> cut)
    {
        foreach (var node in cut.Keys)
        {
            if (cut.TryRemove(node, out var healed))
            {
                healed.TrySetResult();
            }
        }
    }
}

/// <summary>The same for what one silo sends.</summary>
internal sealed class CutNode(CutNodes cuts, ILocalSiloDetails silo) : IOutgoingGrainCallFilter
{
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        await cuts.AskedBy(silo.Name, context);
        await cuts.Invoke(context);
    }
}
