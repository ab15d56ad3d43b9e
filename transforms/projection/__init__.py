"""Radiographs simulated from CT: geometry, line integrals, attenuation, detector, labels."""
