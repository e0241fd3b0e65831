using Orleans.Placement;
using Orleans.Runtime;

namespace KawaOrleans.Server.Placement;

/// <summary>The grain's key names the node it lives on: (segment id, node name). It is never placed anywhere else.</summary>
[GenerateSerializer, Immutable, Alias("kawa.pinned-to-node")]
internal sealed class PinnedToNode : PlacementStrategy;

[AttributeUsage(AttributeTargets.Class)]
internal sealed class PinnedToNodeAttribute() : PlacementAttribute(new PinnedToNode());
