using System.Diagnostics;

namespace KawaOrleans.Faults.Tests.Silos;

/// <summary>Network namespaces for silos, on one bridge with this process, between which packets can be made to vanish without a word. Needs root.</summary>
internal sealed class PartedNetwork : IDisposable
{
    private const string Device = "eth0";

    // Others on this machine may do the same.
    private static readonly string Id = $"kw{Environment.ProcessId % 100_000}";

    private readonly List<NetworkPlace> _places = [];
    private readonly string _subnet = $"10.{200 + (Environment.ProcessId % 50)}.{Environment.ProcessId / 50 % 250}";

    private PartedNetwork()
    {
    }

    public IReadOnlyList<NetworkPlace> Places => _places;

    /// <summary>Makes so many places; null with the reason where that is not allowed.</summary>
    public static PartedNetwork? TryCreate(int places, out string whyNot)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            whyNot = "needs root to make network namespaces";
            return null;
        }

        var network = new PartedNetwork();
        try
        {
            network.Create(places);
            whyNot = "";
            return network;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            network.Dispose();
            whyNot = $"network namespaces cannot be made here: {e.Message}";
            return null;
        }
    }

    /// <summary>Makes what one place sends to another vanish.</summary>
    public static void Cut(NetworkPlace from, NetworkPlace to) =>
        Ip("-n", from.Namespace, "neigh", "replace", to.Address, "lladdr", "02:00:00:00:00:99", "dev", Device, "nud", "permanent");

    /// <summary>Lets it arrive again.</summary>
    public static void Mend(NetworkPlace from, NetworkPlace to) => Ip("-n", from.Namespace, "neigh", "del", to.Address, "dev", Device);

    public void Dispose()
    {
        foreach (var place in _places)
        {
            TryIp("netns", "del", place.Namespace);
        }

        TryIp("link", "del", $"{Id}br");
    }

    private void Create(int places)
    {
        Ip("link", "add", $"{Id}br", "type", "bridge");
        Ip("addr", "add", $"{_subnet}.254/24", "dev", $"{Id}br");
        Ip("link", "set", $"{Id}br", "up");
        for (var i = 1; i <= places; i++)
        {
            var place = new NetworkPlace($"{Id}-{i}", $"{_subnet}.{i}");
            Ip("netns", "add", place.Namespace);
            _places.Add(place);
            Ip("link", "add", $"{Id}v{i}", "type", "veth", "peer", "name", Device, "netns", place.Namespace);
            Ip("link", "set", $"{Id}v{i}", "master", $"{Id}br", "up");
            Ip("-n", place.Namespace, "addr", "add", $"{place.Address}/24", "dev", Device);
            Ip("-n", place.Namespace, "link", "set", Device, "up");
            Ip("-n", place.Namespace, "link", "set", "lo", "up");
        }
    }

    private static void Ip(params string[] arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var said = ip.StandardError.ReadToEnd();
        ip.WaitForExit();
        if (ip.ExitCode != 0)
        {
            throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {said.Trim()}");
        }
    }

    private static void TryIp(params string[] arguments)
    {
        try
        {
            Ip(arguments);
        }
        catch (InvalidOperationException)
        {
            // It was not made, or is gone with what it was part of.
        }
    }
}
