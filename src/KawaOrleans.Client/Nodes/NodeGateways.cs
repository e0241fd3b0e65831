using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace KawaOrleans.Client;

/// <summary>The gateways of the nodes this client calls, each connected in the background once its node is first asked for. There is one
/// only while its connection stands; else calls go the ordinary way, which always works.</summary>
internal sealed partial class NodeGateways(IServiceProvider host, TimeProvider time, ILogger<NodeGateways> logger) : IAsyncDisposable
{
    /// <summary>How long a node is left to the ordinary way after its gateway could not be reached or was lost.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection attempt may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long one silo is waited for that is asked where a node is. It may be cut off from the others.</summary>
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(2);

    // By so many keys there is hardly a gateway that none goes by.
    private const int Ways = 8;

    private readonly ConcurrentDictionary<string, Entry> _nodes = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();
    private int _way;

    /// <summary>Segments by the gateway of this node, or null while there is none.</summary>
    public SegmentReferences? Find(string node)
    {
        var entry = _nodes.GetOrAdd(node, static _ => new Entry());
        if (entry.Gateway is { } gateway)
        {
            return gateway.Segments;
        }

        _ = ConnectAsync(node, entry);
        return null;
    }

    /// <summary>Completes when the attempt to connect to this node has ended, begun now or before.</summary>
    public Task ConnectAsync(string node) => ConnectAsync(node, _nodes.GetOrAdd(node, static _ => new Entry()));

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        foreach (var entry in _nodes.Values)
        {
            await entry.Connecting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Interlocked.Exchange(ref entry.Current, null) is { } gateway)
            {
                await gateway.DisposeAsync().ConfigureAwait(false);
            }
        }

        _ended.Dispose();
    }

    private Task ConnectAsync(string node, Entry entry)
    {
        lock (entry)
        {
            var mayTry = entry.Gateway is null && entry.Connecting.IsCompleted && time.GetTimestamp() >= entry.NotBefore && !_ended.IsCancellationRequested;
            return mayTry ? entry.Connecting = Task.Run(() => TryConnectAsync(node, entry)) : entry.Connecting;
        }
    }

    private async Task TryConnectAsync(string node, Entry entry)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        limit.CancelAfter(Patience);
        try
        {
            var address = await LocateAsync(node, limit.Token).ConfigureAwait(false);
            NodeGateway? made = null;
            made = await NodeGateway.ConnectAsync(host, address, () => Lose(node, entry, made), limit.Token).ConfigureAwait(false);
            entry.Gateway = made;
            LogConnected(node, address);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or OperationCanceledException or IOException or InvalidOperationException)
        {
            Postpone(entry);
            LogNotConnected(node, e.Message);
        }
    }

    private async Task<IPEndPoint> LocateAsync(string node, CancellationToken cancellation)
    {
        for (var tried = 1; ; tried++)
        {
            var way = Volatile.Read(ref _way);
            try
            {
                var silos = await host.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(way)
                    .GetDetailedHosts(onlyActive: true, cancellation).WaitAsync(LookLimit, time, cancellation).ConfigureAwait(false);
                return silos.Where(silo => silo.SiloName == node && silo.ProxyPort != 0).MaxBy(static silo => silo.SiloAddress.Generation) is { } found
                    ? new IPEndPoint(found.SiloAddress.Endpoint.Address, found.ProxyPort)
                    : throw new NodeUnavailableException(node, "no live silo of that name has a gateway");
            }
            catch (Exception e) when (tried < Ways && (e is TimeoutException || e is OrleansException and not KawaException))
            {
                Interlocked.CompareExchange(ref _way, (way + 1) % Ways, way);
            }
        }
    }

    private void Lose(string node, Entry entry, NodeGateway? gateway)
    {
        Postpone(entry);
        if (gateway is null || Interlocked.CompareExchange(ref entry.Current, null, gateway) != gateway)
        {
            return;
        }

        LogLost(node);
        var ended = _ended.Token;
        _ = Task.Run(async () =>
        {
            // Calls that were under way are given up by their callers before; none must find it disposed.
            await Task.Delay(Rest, time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await gateway.DisposeAsync().ConfigureAwait(false);
        });
    }

    private void Postpone(Entry entry) => entry.NotBefore = time.GetTimestamp() + (long)(Rest.TotalSeconds * time.TimestampFrequency);

    [LoggerMessage(1301, LogLevel.Information, "Calls to node {Node} enter the cluster at its own gateway {Gateway}")]
    private partial void LogConnected(string node, IPEndPoint gateway);

    [LoggerMessage(1302, LogLevel.Information, "The gateway of node {Node} is not used: {Reason}")]
    private partial void LogNotConnected(string node, string reason);

    [LoggerMessage(1303, LogLevel.Information, "The gateway of node {Node} was lost; its calls go by the others")]
    private partial void LogLost(string node);

    private sealed class Entry
    {
        public NodeGateway? Current;
        public long NotBefore;

        public Task Connecting { get; set; } = Task.CompletedTask;

        public NodeGateway? Gateway
        {
            get => Volatile.Read(ref Current);
            set => Volatile.Write(ref Current, value);
        }
    }
}
