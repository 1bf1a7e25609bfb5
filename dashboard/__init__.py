"""The Streamlit app: pages, components, services."""
