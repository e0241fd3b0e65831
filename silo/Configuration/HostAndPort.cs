using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KawaOrleans.Silo.Configuration;

/// <summary>A machine, by name or address, and a TCP port on it.</summary>
internal readonly record struct HostAndPort(string Host, int Port)
{
    /// <summary>Reads <c>host:port</c> or <c>[v6 address]:port</c>.</summary>
    public static bool TryParse(string text, out HostAndPort parsed)
    {
        var colon = text.LastIndexOf(':');
        var host = colon > 0 ? text[..colon] : "";
        parsed = default;
        if (host.Length == 0
            || (host.Contains(':', StringComparison.Ordinal) && !(host[0] == '[' && host[^1] == ']'))
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > IPEndPoint.MaxPort)
        {
            return false;
        }

        parsed = new HostAndPort(host.Trim('[', ']'), port);
        return true;
    }

    /// <summary>Asks the name service where there is a name; takes IPv4 before IPv6.</summary>
    public IPEndPoint Resolve()
    {
        var addresses = Dns.GetHostAddresses(Host);
        var address = Array.Find(addresses, static a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
        return new IPEndPoint(address, Port);
    }
}
