using KawaOrleans.Server.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orleans.GrainDirectory;
using Orleans.Runtime;

namespace KawaOrleans.Server.Placement;

/// <summary>Where pinned grains are: on the live silo of the node that their key names. Nothing is kept and no silo is asked. The cluster's own
/// directory keeps each grain's address on some silo; while that one is dead and not yet known to be, nobody finds a grain on a healthy silo.</summary>
/// <remarks>Two activations of one grain stay possible where two silos of one node's name are alive, and stay harmless: the files are guarded by their
/// lock.</remarks>
internal sealed class PinnedGrainDirectory(IServiceProvider services) : IGrainDirectory
{
    public const string Name = "kawa-pinned";

    private readonly Lazy<LiveNodes> _nodes = new(services.GetRequiredService<LiveNodes>);

    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(address);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => Register(address);

    public Task Unregister(GrainAddress address) => Task.CompletedTask;

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;

    /// <summary>Null when the node has no live silo, and for a key that names no node: then placement decides.</summary>
    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult(
        grainId.TryGetGuidKey(out _, out var node) && node is not null && _nodes.Value.Find(node) is { } silo
            ? new GrainAddress { GrainId = grainId, SiloAddress = silo, ActivationId = ActivationId.NewId() }
            : null);
}
